"""What the contract says of requests that a tool cannot know: a Read-After beyond the log is waited for and then answered
with 503 (so that a caller may come again), which is no fault of the server."""

import schemathesis


@schemathesis.hook
def before_call(context, case, kwargs):
    headers = case.headers or {}
    for name in list(headers):
        if name.lower() == "read-after" and str(headers[name]).isdigit():
            headers[name] = str(int(headers[name]) % 50 + 1)
