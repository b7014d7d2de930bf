"""A check for Schemathesis: whatever header an answer has, its endpoint's document lists it."""

import schemathesis

# Those of every answer, whatever the endpoint: HTTP's own (RFC 9110), and what tells browsers to be strict.
EVERYWHERE = {
    # Which answers set the cookies is said in words: OpenAPI has no good form for two headers of one name.
    "set-cookie",
    "cache-control", "connection", "content-length", "content-type", "date", "keep-alive", "transfer-encoding",
    "content-security-policy", "cross-origin-opener-policy", "cross-origin-resource-policy", "origin-agent-cluster",
    "referrer-policy", "strict-transport-security", "x-content-type-options", "x-dns-prefetch-control",
    "x-download-options", "x-frame-options", "x-permitted-cross-domain-policies", "x-xss-protection",
}


@schemathesis.check
def documented_headers(ctx, response, case):
    documented = case.operation.responses.find_by_status_code(response.status_code)
    if documented is None:
        return  # status_code_conformance says so
    known = EVERYWHERE | {name.lower() for name, _ in documented.headers.items()}
    unknown = sorted(name for name in response.headers if name.lower() not in known)
    assert not unknown, f"{response.status_code} has headers that are not documented: {', '.join(unknown)}"
