#!/usr/bin/env bash
# The deployment from the command line: checks the template, deploys it in front of an emulator or
# into an account, and runs the tests that need one.
#
#   aws.sh check            lint, least privilege, CDK with its rules, workflows; needs no emulator
#   aws.sh test             all of it: EMULATOR=ministack (default) | localstack,
#                           or MANO_TEST_AWS=account for the account of the environment
#   aws.sh deploy [ARGS]    builds for Lambda and runs `sam deploy ARGS`
set -euo pipefail
cd "$(dirname "$0")/../.."

ROOT=$PWD
TOOLS=$ROOT/target/tools
AWS_BIN=$TOOLS/aws/bin
OUT=$ROOT/target/sam
STACK=${MANO_STACK:-mano-test}
FUNCTIONS=(service-management catalog inventory adapters)
CARGO=${CARGO:-cargo}
export AWS_PAGER="" SAM_CLI_TELEMETRY=0 AWS_EC2_METADATA_DISABLED=true
export AWS_DEFAULT_REGION=${AWS_DEFAULT_REGION:-us-east-1}
export AWS_REGION=$AWS_DEFAULT_REGION

say() { printf '==> %s  %s\n' "$(date -u +%H:%M:%S)" "$*"; }

# AWS CLI 1 reads AWS_ENDPOINT_URL, but not for every service.
aws() { "$AWS_BIN/aws" ${AWS_ENDPOINT_URL:+--endpoint-url "$AWS_ENDPOINT_URL"} "$@"; }

check() {
    say "the template as CloudFormation sees it"
    mkdir -p "$OUT"
    "$AWS_BIN/python" -W ignore infra/tools/expand.py infra/sam/template.yaml "$OUT/expanded.json" 2>"$OUT/expand.log" ||
        { cat "$OUT/expand.log"; exit 1; }
    cp infra/sam/schemas.json "$OUT/schemas.json"
    say "sam validate --lint"
    "$AWS_BIN/sam" validate --lint --template infra/sam/template.yaml >"$OUT/validate.log" 2>&1 ||
        { cat "$OUT/validate.log"; exit 1; }
    say "cfn-lint"
    # W3002: the nested template lies beside this one until it is packaged.
    "$AWS_BIN/cfn-lint" infra/sam/template.yaml infra/sam/schemas.json
    "$AWS_BIN/cfn-lint" --ignore-checks W3002 -- "$OUT/expanded.json"
    say "rights have names"
    "$AWS_BIN/python" infra/tools/check_template.py "$OUT/expanded.json"
    say "CDK with its rules"
    (cd infra/cdk && npm test --silent) >"$OUT/cdk.log" 2>&1 || { cat "$OUT/cdk.log"; exit 1; }
    say "workflows"
    $CARGO run --quiet -p mano-edge --bin mano -- workflow validate workflows/*.asl.json
}

# Builds once, without optimisation; `target/lambda/mano-…/bootstrap` is what the template packs.
build_for_tests() {
    say "build the functions"
    local packages=(-p mano-relay) features=()
    for name in "${FUNCTIONS[@]}"; do
        packages+=(-p "mano-$name")
        features+=("mano-$name/lambda")
    done
    $CARGO build --quiet --profile emulator "${packages[@]}" --features "$(IFS=,; echo "${features[*]}")"
    for name in "${FUNCTIONS[@]}" relay; do
        local folder=$ROOT/target/lambda/mano-$name
        mkdir -p "$folder"
        strip -o "$folder/bootstrap" "${CARGO_TARGET_DIR:-$ROOT/target}/emulator/mano-$name"
    done
}

free_port() {
    "$AWS_BIN/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Starts MiniStack on loopback in a process group of its own; its Lambdas inherit its environment.
start_ministack() {
    local port
    port=$(free_port)
    export AWS_ENDPOINT_URL=http://127.0.0.1:$port
    export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
    unset AWS_PROFILE AWS_SESSION_TOKEN
    say "start MiniStack on port $port"
    mkdir -p "$OUT"
    # Its files are of this run alone; what the laws let a workflow wait for an hour takes seconds.
    EMULATOR_FOLDER=$(mktemp -d)
    TMPDIR=$EMULATOR_FOLDER GATEWAY_PORT=$port BIND_HOST=127.0.0.1 MINISTACK_HOST=localhost \
        IOT_MTLS_ENABLED=0 SFN_WAIT_SCALE=0.002 setsid "$TOOLS/emulator/bin/ministack" >"$OUT/ministack.log" 2>&1 &
    EMULATOR_PID=$!
    trap stop_ministack EXIT
    for _ in $(seq 100); do
        if curl -fsS "$AWS_ENDPOINT_URL/_ministack/health" >/dev/null 2>&1; then return; fi
        kill -0 "$EMULATOR_PID" 2>/dev/null || { cat "$OUT/ministack.log"; exit 1; }
        sleep 0.2
    done
    echo "MiniStack does not come up:"; cat "$OUT/ministack.log"; exit 1
}

# Lambda environments are processes of the emulator's session, each in a group of its own.
stop_ministack() {
    local session
    session=$(ps -o sid= -p "$EMULATOR_PID" 2>/dev/null | tr -d ' ') || true
    if [ -n "$session" ] && [ "$session" != "$(ps -o sid= -p $$ | tr -d ' ')" ]; then
        local members
        members=$(ps -o pid= -s "$session")
        # shellcheck disable=SC2086
        kill $members 2>/dev/null || true
    fi
    wait "$EMULATOR_PID" 2>/dev/null || true
    rm -rf "$EMULATOR_FOLDER"
}

use_localstack() {
    export AWS_ENDPOINT_URL=${AWS_ENDPOINT_URL:-http://127.0.0.1:4566}
    export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
    curl -fsS "$AWS_ENDPOINT_URL/_localstack/health" >/dev/null ||
        { echo "no LocalStack answers at $AWS_ENDPOINT_URL; start one, or set AWS_ENDPOINT_URL"; exit 1; }
}

output() {
    aws cloudformation describe-stacks --stack-name "$STACK" --output text \
        --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue"
}

deploy_for_tests() {
    local home=$1 bucket=$STACK-deploy-$$
    say "deploy to $home"
    aws s3 mb "s3://$bucket" >/dev/null
    aws cloudformation package --template-file infra/sam/template.yaml --s3-bucket "$bucket" \
        --output-template-file "$OUT/packaged.yaml" >"$OUT/package.log" 2>&1 ||
        { tail -n 20 "$OUT/package.log"; exit 1; }
    if ! aws cloudformation deploy --template-file "$OUT/packaged.yaml" --stack-name "$STACK" \
        --s3-bucket "$bucket" --no-fail-on-empty-changeset \
        --capabilities CAPABILITY_IAM CAPABILITY_AUTO_EXPAND CAPABILITY_NAMED_IAM \
        --parameter-overrides "Home=$home" LogLevel=info >"$OUT/deploy.log" 2>&1; then
        tail -n 20 "$OUT/deploy.log"
        aws cloudformation describe-stack-events --stack-name "$STACK" --output text \
            --query 'StackEvents[?contains(ResourceStatus,`FAILED`)].[LogicalResourceId,ResourceStatusReason]'
        exit 1
    fi
    if [ "$home" = emulator ]; then
        MANO_AWS_API=$AWS_ENDPOINT_URL/restapis/$(output ApiId)/v1/_user_request_
    else
        MANO_AWS_API=$(output ApiRoot)
    fi
    MANO_AWS_BUS=$STACK
    MANO_AWS_STACK=$STACK
    MANO_AWS_REJECTED=$(output RejectedRequestsUrl)
    export MANO_AWS_API MANO_AWS_BUS MANO_AWS_STACK MANO_AWS_REJECTED
}

run_tests() {
    say "the laws of the ports"
    $CARGO test --quiet --profile emulator -p mano-aws
    say "the journeys, through API Gateway and the event bus"
    $CARGO test --quiet -p mano-tests --test aws -- --test-threads=1
}

test_all() {
    check
    build_for_tests
    if [ "${MANO_TEST_AWS:-emulator}" = account ]; then
        export MANO_TEST_AWS=account
        deploy_for_tests aws
    else
        export MANO_TEST_AWS=emulator
        case "${EMULATOR:-ministack}" in
        ministack) start_ministack ;;
        localstack) use_localstack ;;
        *) echo "EMULATOR is '$EMULATOR'; there are: ministack, localstack"; exit 1 ;;
        esac
        deploy_for_tests emulator
    fi
    run_tests
    say "done"
}

# For Lambda's own C library, with zig as the linker.
deploy() {
    local architecture=${ARCHITECTURE:-x86_64} options=()
    case "$architecture" in
    x86_64) ;;
    arm64) options=(--arm64) ;;
    *) echo "ARCHITECTURE is '$architecture'; there are: x86_64, arm64"; exit 1 ;;
    esac
    say "build for Lambda, $architecture"
    for name in "${FUNCTIONS[@]}"; do
        PATH=$TOOLS/lambda/bin:$PATH $CARGO lambda build --profile lambda "${options[@]}" -p "mano-$name" --features lambda
    done
    PATH=$TOOLS/lambda/bin:$PATH $CARGO lambda build --profile lambda "${options[@]}" -p mano-relay
    say "sam deploy"
    "$AWS_BIN/sam" deploy --config-file samconfig.toml --template-file infra/sam/template.yaml \
        --parameter-overrides "Architecture=$architecture" "$@"
}

case "${1:-}" in
check) check ;;
test) test_all ;;
deploy) shift; deploy "$@" ;;
*) sed -n '2,10p' "$0"; exit 2 ;;
esac
