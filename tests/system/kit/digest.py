"""Digest access authentication (RFC 7616) as a client does it, and as a server does."""
import hashlib
import re
import secrets


def challenge(response, algorithm):
    """The fields of the Proxy-Authenticate value with that algorithm (a value without one is MD5), or None."""
    for value in response.all("Proxy-Authenticate"):
        fields = {k.lower(): v.strip('"') for k, v in re.findall(r'(\w+)\s*=\s*("[^"]*"|[^\s,]+)', value)}
        if fields.get("algorithm", "MD5") == algorithm:
            return fields
    return None


def answer(fields, method, uri, user, password, nc=1, algorithm=None, qop=True, cnonce=None, **replace):
    """A Proxy-Authorization header for the challenge's fields. replace: other values of parameters as sent."""
    algorithm = algorithm or fields.get("algorithm", "MD5")
    h = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[algorithm]
    cnonce = cnonce or secrets.token_hex(6)

    def hx(*parts):
        return h(":".join(parts).encode()).hexdigest()

    ha1, ha2 = hx(user, fields["realm"], password), hx(method, uri)
    middle = (f"{nc:08x}", cnonce, "auth") if qop else ()
    quoted = {"username": user.replace("\\", "\\\\").replace('"', '\\"'), "realm": fields["realm"], "nonce": fields["nonce"],
              "uri": uri, "response": hx(ha1, fields["nonce"], *middle, ha2)}
    if "opaque" in fields:
        quoted["opaque"] = fields["opaque"]
    plain = {"algorithm": algorithm}
    if qop:
        quoted["cnonce"] = cnonce
        plain.update(qop="auth", nc=f"{nc:08x}")
    quoted.update(replace)
    text = ", ".join([f'{k}="{v}"' for k, v in quoted.items()] + [f"{k}={v}" for k, v in plain.items()])
    return f"Proxy-Authorization: Digest {text}"


NONCE, REALM = "dcd98b7102dd2f0e8b11d0f600bfb0c0", "callee.example.com"


def challenge_header(algorithm):
    """Of a server that asks for this algorithm."""
    return f'Proxy-Authenticate: Digest realm="{REALM}", nonce="{NONCE}", qop="auth", algorithm={algorithm}, opaque="5ccc069c"'


def check(value, method, user, password, algorithm):
    """Asserts that the value of a Proxy-Authorization answers that challenge."""
    got = {k.lower(): v.strip('"') for k, v in re.findall(r'(\w+)\s*=\s*("[^"]*"|[^\s,]+)', value)}
    fields = {"realm": REALM, "nonce": NONCE, "algorithm": algorithm}
    want = answer(fields, method, got["uri"], user, password, cnonce=got["cnonce"])
    assert f'response="{got["response"]}"' in want, value
    assert (got["username"], got["opaque"], got["qop"], got["nc"]) == (user, "5ccc069c", "auth", "00000001"), value
