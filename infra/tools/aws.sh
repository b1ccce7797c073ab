#!/usr/bin/env bash
# The deployment from the command line: checks the template, deploys it in front of an emulator or
# into an account, and runs the tests that need one.
#
#   aws.sh check            lint, least privilege, CDK with its rules, workflows; needs no emulator
#   aws.sh test             all of it: EMULATOR=ministack (default) | localstack (one that runs,
#                           at AWS_ENDPOINT_URL), or MANO_TEST_AWS=account for the account of the
#                           environment, where the stack MANO_STACK (mano-test…) is made and stays
#   aws.sh build            builds for Lambda, in target/lambda, for ARCHITECTURE=x86_64 (default) | arm64
#   aws.sh deploy [ARGS]    the same, and runs `sam deploy ARGS` with PARAMETERS="Name=value Name='value' …"
set -euo pipefail
cd "$(dirname "$0")/../.."

ROOT=$PWD
TOOLS=$ROOT/target/tools
AWS_BIN=$TOOLS/aws/bin
OUT=$ROOT/target/sam
# What is built to be tested lies apart from what is built for Lambda, in a place like this one.
EMULATED=$ROOT/target/emulated
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
    say "lints of what brings the AWS SDK, and of what needs a deployment"
    $CARGO clippy --quiet -p mano-aws -p mano-relay --all-targets -- -D warnings
    $CARGO clippy --quiet -p mano-tests --test aws -- -D warnings
    say "workflows"
    $CARGO run --quiet -p mano-edge --bin mano -- workflow validate workflows/*.asl.json
}

# Builds once, without optimisation, what runs on this machine.
build_for_tests() {
    say "build the functions"
    local packages=(-p mano-relay) features=() folder
    for name in "${FUNCTIONS[@]}"; do
        packages+=(-p "mano-$name")
        features+=("mano-$name/lambda")
    done
    $CARGO build --quiet --profile emulator "${packages[@]}" --features "$(IFS=,; echo "${features[*]}")"
    $CARGO test --quiet --profile emulator -p mano-aws --no-run
    rm -rf "$EMULATED"
    mkdir -p "$EMULATED/infra"
    cp -r workflows "$EMULATED"
    cp -r infra/sam "$EMULATED/infra"
    for name in "${FUNCTIONS[@]}" relay; do
        folder=$EMULATED/target/lambda/mano-$name
        mkdir -p "$folder"
        strip -o "$folder/bootstrap" "${CARGO_TARGET_DIR:-$ROOT/target}/emulator/mano-$name"
    done
}

build_stories() {
    say "build the stories"
    $CARGO build --quiet -p mano-tests --examples
    $CARGO test --quiet -p mano-tests --test aws --no-run
    export MANO_BIN=${CARGO_TARGET_DIR:-$ROOT/target}/debug/mano
}

# For Lambda's own C library, with zig as the linker.
build() {
    ARCHITECTURE=${ARCHITECTURE:-x86_64}
    local options=(--profile lambda)
    case "$ARCHITECTURE" in
    x86_64) ;;
    arm64) options+=(--arm64) ;;
    *) refuse "ARCHITECTURE is '$ARCHITECTURE'" "there are: x86_64, arm64" ;;
    esac
    say "build for Lambda, $ARCHITECTURE"
    for name in "${FUNCTIONS[@]}"; do
        PATH=$TOOLS/lambda/bin:$PATH $CARGO lambda build "${options[@]}" -p "mano-$name" --features lambda
    done
    PATH=$TOOLS/lambda/bin:$PATH $CARGO lambda build "${options[@]}" -p mano-relay
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

# sam_deploy HOME [Name=value …] -- [ARGS of sam deploy]: HOME is a folder like this one.
sam_deploy() {
    local home=$1 given=() named=() value
    shift
    while [ "$1" != -- ]; do
        given+=("$1")
        shift
    done
    shift
    # A version is published where code, template or parameters are others, and calls go to versions alone.
    given+=("Release=$({ cat "$home"/target/lambda/*/bootstrap "$home"/infra/sam/*.*; printf '%s\n' "${given[@]}"; } |
        sha256sum | cut -c1-16)")
    for value in "${given[@]}"; do
        named+=("${value%%=*}=\"$(printf %s "${value#*=}" | sed 's/[\\"]/\\&/g')\"")
    done
    "$AWS_BIN/sam" deploy --config-file "$ROOT/infra/sam/samconfig.toml" --template-file "$home/infra/sam/template.yaml" \
        --parameter-overrides "${named[@]}" "$@"
}

# deploy_for_tests FOLDER STACK [Name=value …]
deploy_for_tests() {
    local home=$1 stack=$2
    shift 2
    say "deploy $stack: $*"
    local bucket=$stack-deploy-$$
    aws s3 mb "s3://$bucket" >/dev/null
    sam_deploy "$home" "$@" -- --stack-name "$stack" --no-resolve-s3 --s3-bucket "$bucket" \
        --no-confirm-changeset --no-progressbar >"$OUT/deploy-$stack.log" 2>&1 ||
        { tail -n 40 "$OUT/deploy-$stack.log"; exit 1; }
}

# output STACK NAME
output() {
    aws cloudformation describe-stacks --stack-name "$1" --output text \
        --query "Stacks[0].Outputs[?OutputKey=='$2'].OutputValue"
}

# Where the interfaces of a stack are.
api_of() {
    if [ "$MANO_TEST_AWS" = account ]; then
        output "$1" ApiRoot
    else
        echo "$AWS_ENDPOINT_URL/restapis/$(output "$1" ApiId)/v1/_user_request_"
    fi
}

# Two deployments in one account, as an operator has them: one knows its callers by IAM, the other by tokens.
deploy_all() {
    local home=$1 place=$2 issuer=${CARGO_TARGET_DIR:-$ROOT/target}/debug/examples/issuer
    deploy_for_tests "$home" "$STACK" "Home=$place" LogLevel=info
    MANO_AWS_API=$(api_of "$STACK")
    MANO_AWS_BUS=$STACK
    MANO_AWS_STACK=$STACK
    MANO_AWS_REJECTED=$(output "$STACK" RejectedRequestsUrl)
    MANO_AWS_TABLE=$(output "$STACK" TableName)
    MANO_AWS_BUCKET=$(output "$STACK" BucketName)
    MANO_PYTHON=$AWS_BIN/python
    export MANO_AWS_API MANO_AWS_BUS MANO_AWS_STACK MANO_AWS_REJECTED MANO_AWS_TABLE MANO_AWS_BUCKET MANO_PYTHON
    MANO_AWS_ISSUER=$("$AWS_BIN/python" -c 'import secrets; print(secrets.token_hex(32))')
    export MANO_AWS_ISSUER
    deploy_for_tests "$home" "$STACK-jwt" "Home=$place" LogLevel=info ApiGatewayLogs=there Auth=JWT \
        JwtIssuer=https://idp.example JwtAudience=mano "JwtKeys=$("$issuer" "$MANO_AWS_ISSUER")"
    MANO_AWS_JWT_API=$(api_of "$STACK-jwt")
    export MANO_AWS_JWT_API
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
    export MANO_TEST_AWS=${MANO_TEST_AWS:-emulator}
    build_stories
    if [ "$MANO_TEST_AWS" = account ]; then
        build
        deploy_all "$ROOT" aws
    else
        build_for_tests
        if [ "${EMULATOR:-ministack}" = ministack ]; then start_ministack; fi
        deploy_all "$EMULATED" emulator
    fi
    run_tests
    say "done"
}

deploy() {
    local given=() words
    case " $* " in
    *" --parameter-overrides"*) refuse "--parameter-overrides stands in ARGS, where it would replace ours" \
        "give parameters as PARAMETERS=\"Name=value …\"" ;;
    esac
    words=$(xargs -r -n1 printf '%s\n' <<<"${PARAMETERS:-}" 2>/dev/null) || refuse \
        "PARAMETERS cannot be read: $PARAMETERS" "close its quotes, each on the line it begins"
    if [ -n "$words" ]; then mapfile -t given <<<"$words"; fi
    build
    mkdir -p "$OUT"
    "$AWS_BIN/aws" sts get-caller-identity --output text --query Account >"$OUT/account" 2>"$OUT/account.log" || refuse \
        "the functions are built (target/lambda), and not deployed: $(tail -n 1 "$OUT/account.log")" \
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, and run it again"
    say "sam deploy to account $(cat "$OUT/account"), region $AWS_REGION"
    sam_deploy "$ROOT" "Architecture=$ARCHITECTURE" "${given[@]}" -- "$@"
}

case "${1:-}" in
check | build) "$1" ;;
test) test_all ;;
deploy) shift; deploy "$@" ;;
*) sed -n '2,12p' "$0"; exit 2 ;;
esac
