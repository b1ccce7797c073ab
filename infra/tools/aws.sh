#!/usr/bin/env bash
# The deployment from the command line: checks the template, deploys it in front of an emulator or
# into an account, and runs the tests that need one.
#
#   aws.sh check            lint, least privilege, CDK with its rules, workflows; needs no emulator
#   aws.sh test             all of it: EMULATOR=ministack (default) | localstack (one that runs,
#                           at AWS_ENDPOINT_URL), or MANO_TEST_AWS=account for the account of the
#                           environment, where the stack MANO_STACK (mano-test…) is made and stays
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
    say "lints of what brings the AWS SDK"
    $CARGO clippy --quiet -p mano-aws --all-targets -- -D warnings
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
    $CARGO test --quiet --profile emulator -p mano-aws --no-run
    say "build the stories"
    $CARGO build --quiet -p mano-tests --example fault-proxy
    $CARGO test --quiet -p mano-tests --test aws --no-run
    for name in "${FUNCTIONS[@]}" relay; do
        local folder=$ROOT/target/lambda/mano-$name
        mkdir -p "$folder"
        strip -o "$folder/bootstrap" "${CARGO_TARGET_DIR:-$ROOT/target}/emulator/mano-$name"
    done
}

# Stands between the functions and the emulator; the tests tell it what to disturb.
start_proxy() {
    local port
    port=$(free_port)
    say "start the proxy for faults on port $port"
    "${CARGO_TARGET_DIR:-$ROOT/target}/debug/examples/fault-proxy" "127.0.0.1:$port" "127.0.0.1:$1" \
        >"$OUT/proxy.log" 2>&1 &
    PROXY_PID=$!
    PROXY=http://127.0.0.1:$port
    export MANO_AWS_FAULTS=$PROXY/_faults
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
    mkdir -p "$OUT"
    trap stop_ministack EXIT
    start_proxy "$port"
    say "start MiniStack on port $port"
    # Its files are of this run alone, its functions call through the proxy; what the laws let a workflow wait for an hour takes seconds.
    EMULATOR_FOLDER=$(mktemp -d)
    AWS_ENDPOINT_URL=$PROXY TMPDIR=$EMULATOR_FOLDER GATEWAY_PORT=$port BIND_HOST=127.0.0.1 MINISTACK_HOST=localhost \
        IOT_MTLS_ENABLED=0 SFN_WAIT_SCALE=0.002 setsid "$TOOLS/emulator/bin/ministack" >"$OUT/ministack.log" 2>&1 &
    EMULATOR_PID=$!
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
    kill "$PROXY_PID" 2>/dev/null || true
    if [ -z "${EMULATOR_PID:-}" ]; then return; fi
    session=$(ps -o sid= -p "$EMULATOR_PID" 2>/dev/null | tr -d ' ') || true
    if [ -n "$session" ] && [ "$session" != "$(ps -o sid= -p $$ | tr -d ' ')" ]; then
        stop_session "$session"
    fi
    wait "$EMULATOR_PID" 2>/dev/null || true
    rm -rf "$EMULATOR_FOLDER"
}

# Asks all processes of a session to end, and ends those that are still there after ten seconds: the
# emulator waits for connections that its functions keep open.
stop_session() {
    local signal members
    for signal in TERM KILL; do
        for _ in {1..20}; do
            members=$(ps -o pid= -s "$1") || return 0
            # shellcheck disable=SC2086
            kill -"$signal" $members 2>/dev/null || true
            sleep 0.5
        done
    done
}

use_localstack() {
    export AWS_ENDPOINT_URL=${AWS_ENDPOINT_URL:-http://127.0.0.1:4566}
    export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
    unset AWS_PROFILE AWS_SESSION_TOKEN
    curl -fsS "$AWS_ENDPOINT_URL/_localstack/health" >/dev/null 2>&1 || refuse \
        "no LocalStack answers at $AWS_ENDPOINT_URL" \
        "start one with Docker (its functions run in containers), or set AWS_ENDPOINT_URL to where it is"
}

# The tests empty the table of the stack they are given.
use_account() {
    unset AWS_ENDPOINT_URL
    case "$STACK" in
    mano-test*) ;;
    *) refuse "MANO_STACK is '$STACK', and the tests empty the table of that stack" \
        "name a stack of their own: mano-test, or mano-test-…" ;;
    esac
    aws sts get-caller-identity --output text --query Account >"$OUT/account" 2>"$OUT/account.log" || refuse \
        "MANO_TEST_AWS=account, and there are no credentials for one: $(tail -n 1 "$OUT/account.log")" \
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN), or AWS_PROFILE"
    if [ -n "${AWS_PROFILE:-}" ] || [ -z "${AWS_ACCESS_KEY_ID:-}" ]; then
        # The journeys sign by themselves, with keys of the environment.
        eval "$("$AWS_BIN/aws" configure export-credentials --format env)" || refuse \
            "the credentials of the profile cannot be exported" "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    fi
    say "account $(cat "$OUT/account"), region $AWS_REGION, stack $STACK"
}

# What is wrong, and what to do.
refuse() {
    printf 'error: %s\n  next:  %s\n' "$1" "$2" >&2
    exit 1
}

# Says at once what is missing, before anything is built.
choose_home() {
    case "${MANO_TEST_AWS:-emulator}" in
    account) use_account ;;
    emulator)
        case "${EMULATOR:-ministack}" in
        ministack) ;;
        localstack) use_localstack ;;
        *) refuse "EMULATOR is '$EMULATOR'" "there are: ministack, localstack" ;;
        esac
        ;;
    *) refuse "MANO_TEST_AWS is '$MANO_TEST_AWS'" "there are: emulator (also when it is not set), account" ;;
    esac
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
    MANO_AWS_TABLE=$(output TableName)
    export MANO_AWS_API MANO_AWS_BUS MANO_AWS_STACK MANO_AWS_REJECTED MANO_AWS_TABLE
}

run_tests() {
    say "the laws of the ports"
    $CARGO test --quiet --profile emulator -p mano-aws
    say "the journeys, through API Gateway and the event bus"
    $CARGO test --quiet -p mano-tests --test aws -- --test-threads=1
}

test_all() {
    mkdir -p "$OUT"
    choose_home
    check
    build_for_tests
    export MANO_TEST_AWS=${MANO_TEST_AWS:-emulator}
    if [ "$MANO_TEST_AWS" = account ]; then
        deploy_for_tests aws
    else
        if [ "${EMULATOR:-ministack}" = ministack ]; then start_ministack; fi
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
    mkdir -p "$OUT"
    "$AWS_BIN/aws" sts get-caller-identity --output text --query Account >"$OUT/account" 2>"$OUT/account.log" || refuse \
        "the functions are built (target/lambda), and not deployed: $(tail -n 1 "$OUT/account.log")" \
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, and run it again"
    say "sam deploy to account $(cat "$OUT/account"), region $AWS_REGION"
    "$AWS_BIN/sam" deploy --config-file samconfig.toml --template-file infra/sam/template.yaml \
        --parameter-overrides "Architecture=$architecture" "$@"
}

case "${1:-}" in
check) check ;;
test) test_all ;;
deploy) shift; deploy "$@" ;;
*) sed -n '2,10p' "$0"; exit 2 ;;
esac
