"""Measures cold starts of the Lambda binaries: process start to the 200 of a GET that reads one document;
of the relay, to the answer to a stream record, for which it reads the facts of one document.

    cold_start.py FOLDER MINISTACK [RUNS]

FOLDER holds the binaries (mano-catalog ...), MINISTACK is the emulator's program. This program plays
Lambda's runtime interface and stands between function and emulator, so the emulator's own time can be
taken off. Printed per function: median and worst milliseconds without the emulator, the emulator's
milliseconds, peak memory, size of the binary and of its zip.
"""

import http.client
import http.server
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
import zipfile
import zlib

TABLE = "cold-start"
# Lambda's system has its authorities in one file; where a folder of hundreds lies beside it, the folder is not read.
AUTHORITIES = ["/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt"]
SHARDS = 16
INDEXES = "nsdId vnfdId vnfPkgId nsInstanceId vnfInstanceId operationState vimId".split()
VNF = {
    "id": "vnf-1", "vnfdId": "d", "vnfPkgId": "p", "provider": "v", "productName": "n",
    "softwareVersion": "1", "vnfdVersion": "1",
}
CALLS = {
    "mano-inventory": ("GET", "/mano/v1/vims/east"),
    "mano-adapters": ("GET", "/mano/v1/vims/east/behaviour"),
    "mano-catalog": ("GET", "/vnfpkgm/v2/vnf_packages/{package}"),
    "mano-service-management": ("GET", "/vnflcm/v2/vnf_instances/vnf-1"),
}
RECORD = {"Records": [{"eventSource": "aws:dynamodb", "eventName": "INSERT", "dynamodb": {
    "SequenceNumber": "1", "Keys": {"pk": {"S": "fact"}, "sk": {"S": "nobody#00000000000000000001"}}}}]}


class Between(http.server.BaseHTTPRequestHandler):
    """Hands a call on to the emulator and remembers how long that took."""

    protocol_version = "HTTP/1.1"
    # An answer in two pieces would cost 40 ms of waiting for an acknowledgement.
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    spent = 0.0
    host = ""

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        begin = time.perf_counter()
        there = http.client.HTTPConnection(Between.host)
        there.request(self.command, self.path, body, dict(self.headers))
        answer = there.getresponse()
        content = answer.read()
        there.close()
        Between.spent += time.perf_counter() - begin
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "content-length", "transfer-encoding", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_HEAD = do_POST

    def log_message(self, *_):
        pass


class Runtime(http.server.BaseHTTPRequestHandler):
    """Lambda's runtime interface with one invocation; a class of its own for each process, so that
    none takes what is meant for the next."""

    protocol_version = "HTTP/1.1"
    # An answer in two pieces would cost 40 ms of waiting for an acknowledgement.
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    event = None
    answer = None
    answered = None
    over = threading.Event()

    def do_GET(self):
        run = type(self)
        if run.event is None:
            Runtime.over.wait()
            return
        body, run.event = json.dumps(run.event).encode(), None
        self.send_response(200)
        self.send_header("Lambda-Runtime-Aws-Request-Id", "00000000-0000-0000-0000-000000000001")
        self.send_header("Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1000) + 30000))
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:1:function:f")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not body and self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline().strip() or b"0", 16):
                body += self.rfile.read(size)
                self.rfile.readline()
        type(self).answer = (time.perf_counter(), self.path, body)
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()
        type(self).answered.set()

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    """Serves programs that are ended while they are connected."""

    def handle_error(self, *_):
        pass


def serve(handler):
    """Serves on a free port of this machine; the address."""
    server = Server(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"127.0.0.1:{server.server_port}"


def emulator(program):
    """Starts the emulator on a free port of this machine; its process."""
    free = socket.socket()
    free.bind(("127.0.0.1", 0))
    port = str(free.getsockname()[1])
    free.close()
    Between.host = f"127.0.0.1:{port}"
    environment = dict(os.environ, GATEWAY_PORT=port, BIND_HOST="127.0.0.1", MINISTACK_HOST="localhost",
                       IOT_MTLS_ENABLED="0")
    quiet = subprocess.DEVNULL
    process = subprocess.Popen([program], env=environment, stdout=quiet, stderr=quiet)
    for _ in range(200):
        try:
            http.client.HTTPConnection(Between.host).request("GET", "/_ministack/health")
            return process
        except OSError:
            time.sleep(0.1)
    process.kill()
    sys.exit(f"{program} does not come up")


def table():
    """The table as the template makes it, and one network function in it."""
    key = lambda name, kind: {"AttributeName": name, "KeyType": kind}
    dynamo("DeleteTable", {"TableName": TABLE})
    dynamo("CreateTable", {
        "TableName": TABLE, "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")],
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": "S"} for name in ["pk", "sk", *INDEXES]],
        "GlobalSecondaryIndexes": [
            {"IndexName": name, "KeySchema": [key(name, "HASH"), key("sk", "RANGE")],
             "Projection": {"ProjectionType": "KEYS_ONLY"}} for name in INDEXES],
    })
    shard = zlib.crc32(VNF["id"].encode()) % SHARDS
    dynamo("PutItem", {"TableName": TABLE, "Item": {
        "pk": {"S": f"vnf-instance#default#{shard}"}, "sk": {"S": VNF["id"]}, "v": {"N": "1"},
        "f": {"N": "1"}, "body": {"S": json.dumps(VNF)}, "n": {"M": {}}}})


def dynamo(action, body):
    """Asks the emulator; it checks no signature."""
    there = http.client.HTTPConnection(Between.host)
    there.request("POST", "/", json.dumps(body), {
        "X-Amz-Target": f"DynamoDB_20120810.{action}", "Content-Type": "application/x-amz-json-1.0",
        "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request,"
                         " SignedHeaders=host, Signature=0"})
    answer = there.getresponse()
    return json.loads(answer.read() or b"{}")


def request(method, path, body=None):
    """A request as API Gateway hands it over."""
    return {
        "httpMethod": method, "path": path, "body": body,
        "multiValueHeaders": {"Accept": ["application/json"], "Version": ["1.0.0" if path.startswith("/mano/") else "2.0.0"],
                              "Content-Type": ["application/json"]},
        "requestContext": {"path": f"/v1{path}", "stage": "v1", "domainName": "api.example",
                           "identity": {"accountId": "1", "userArn": "arn:aws:iam::1:user/u"}}}


def invoke(binary, between, event):
    """Starts the function for one invocation: what it answered, when, and what it cost."""
    run = type("Run", (Runtime,), {"event": event, "answered": threading.Event()})
    runtime, Between.spent = serve(run), 0.0
    endpoint = f"http://{between}"
    environment = {
        "AWS_LAMBDA_RUNTIME_API": runtime, "AWS_LAMBDA_FUNCTION_NAME": "f",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256", "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_ENDPOINT_URL": endpoint, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true", "RUST_LOG": "warn",
        "MANO_TABLE": TABLE, "MANO_BUCKET": "b", "MANO_BUS": "b",
        "MANO_STATE_MACHINE_PREFIX": "arn:aws:states:us-east-1:1:stateMachine:s-"}
    environment.update({"SSL_CERT_FILE": path for path in AUTHORITIES if os.path.exists(path)})
    for name in ("WATCH", "UPLOAD_WATCH"):
        environment[f"MANO_QUEUE_{name}"] = environment[f"MANO_DEAD_{name}"] = endpoint + "/q.fifo"
    begin = time.perf_counter()
    process = subprocess.Popen([binary], env=environment)
    if not run.answered.wait(20):
        process.kill()
        sys.exit(f"{binary} did not answer")
    with open(f"/proc/{process.pid}/status") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    process.kill()
    process.wait()
    end, where, content = run.answer
    answer = json.loads(content)
    failed = answer.get("statusCode", 200) >= 300 or answer.get("batchItemFailures")
    if failed or not where.endswith("/response"):
        sys.exit(f"{binary} answered {event}: {where} {content.decode()}")
    return answer, (end - begin) * 1000, Between.spent * 1000, peak / 1024


def process_start():
    """Milliseconds that this machine takes for a process at all."""
    begin = time.perf_counter()
    subprocess.run(["/bin/true"], check=True)
    return (time.perf_counter() - begin) * 1000


def main():
    folder, program = sys.argv[1], sys.argv[2]
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 30
    process = emulator(program)
    try:
        measure(folder, runs)
    finally:
        Runtime.over.set()
        process.terminate()
        process.wait()


def measure(folder, runs):
    between = serve(Between)
    table()
    ask = lambda function, event: invoke(os.path.join(folder, function), between, event)
    zone = {"id": "a", "vcpus": 4, "memoryGib": 8, "storageGib": 10}
    ask("mano-inventory", request("POST", "/mano/v1/vims",
        json.dumps({"id": "east", "vimType": "sim", "zones": [zone]})))
    package, *_ = ask("mano-catalog", request("POST", "/vnfpkgm/v2/vnf_packages", "{}"))
    package = json.loads(package["body"])["id"]
    nothing = [process_start() for _ in range(runs)]
    print(f"a process that does nothing starts and ends in {statistics.median(nothing):.1f} ms (median)")
    print(f"{'function':26} {'own ms':>8} {'worst':>8} {'emulator':>9} {'RSS MB':>7} {'MB':>6} {'zip MB':>7}")
    events = {function: request(method, path.format(package=package)) for function, (method, path) in CALLS.items()}
    for function, event in {**events, "mano-relay": RECORD}.items():
        taken = [ask(function, event)[1:] for _ in range(runs)]
        own = [total - emulator for total, emulator, _ in taken]
        binary = os.path.join(folder, function)
        archive = f"{binary}.cold-start.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
            file.write(binary, "bootstrap")
        size, zipped = os.path.getsize(binary) / 1e6, os.path.getsize(archive) / 1e6
        os.remove(archive)
        emulator, peak = statistics.median(t[1] for t in taken), max(t[2] for t in taken)
        print(f"{function:26} {statistics.median(own):8.1f} {max(own):8.1f} {emulator:9.1f} {peak:7.1f} {size:6.1f} {zipped:7.1f}")
    print("x86_64 alone: arm64 is not built here (make lambda ARCHITECTURE=arm64), and runs on no machine of this kind")


if __name__ == "__main__":
    main()
