"""The REST API as tests use it: thin over requests, one method a verb, and one call that provisions a whole domain."""
import os
import secrets

import requests

from kit.stack import wait_for

API = os.environ.get("HOOKSWITCH_API", "http://127.0.0.1:8080")
ACCOUNT = os.environ.get("HOOKSWITCH_ACCOUNT_SID", "")
TOKEN = os.environ.get("HOOKSWITCH_AUTH_TOKEN", "")
BASE_DOMAIN = os.environ.get("HOOKSWITCH_SIP_DOMAIN", "sip.hookswitch.test")
PASSWORD = "Correct1Horse2Battery"


class Rest:
    def __init__(self, account=ACCOUNT, token=TOKEN):
        self.session = requests.Session()
        self.session.auth = (account, token)
        self.root = f"{API}/2010-04-01/Accounts/{account}"

    def call(self, method, path, expect=None, **form):
        data = {k: v for k, v in form.items() if v is not None}
        kw = {"params": data} if method == "GET" else {"data": data}
        r = self.session.request(method, self.root + path, timeout=30, **kw)
        if expect is not None:
            assert r.status_code == expect, f"{method} {path} {form}: {r.status_code} {r.text}"
        return r

    def get(self, path, expect=200, **query):
        return self.call("GET", path, expect, **query).json()

    def post(self, path, expect=(201, 200), **form):
        r = self.call("POST", path, **form)
        expect = expect if isinstance(expect, tuple) else (expect,)
        assert r.status_code in expect, f"POST {path} {form}: {r.status_code} {r.text}"
        return r.json()

    def delete(self, path, expect=204):
        self.call("DELETE", path, expect)

    def call_in(self, sid, status, timeout=10):
        """The call's row as soon as it is there and has this status."""
        def look():
            r = self.call("GET", f"/Calls/{sid}.json")
            return r.status_code == 200 and r.json()["status"] == status and r.json()
        return wait_for(look, timeout, f"call {sid} {status}")

    def domain(self, voice_url=None, allow=("127.0.0.0/8",), users=(), name=None, registers=False, **properties):
        """A new SIP domain with an ACL of `allow` and a credential list of `users` (None or empty: no such mapping), who may register."""
        if registers:
            properties["SipRegistration"] = "true"
        name = name or f"t{secrets.token_hex(6)}"
        d = self.post("/SIP/Domains.json", DomainName=f"{name}.{BASE_DOMAIN}", VoiceUrl=voice_url, **properties)
        made = Domain(self, d)
        if allow:
            acl = self.post("/SIP/IpAccessControlLists.json", FriendlyName=name)
            for n, block in enumerate(allow):
                ip, _, prefix = block.partition("/")
                self.post(f"/SIP/IpAccessControlLists/{acl['sid']}/IpAddresses.json", FriendlyName=f"{n}", IpAddress=ip,
                          CidrPrefixLength=prefix or None)
            self.post(f"/SIP/Domains/{d['sid']}/Auth/Calls/IpAccessControlListMappings.json", IpAccessControlListSid=acl["sid"])
            made.acl = acl["sid"]
        if users:
            lst = self.post("/SIP/CredentialLists.json", FriendlyName=name)
            for user in users:
                self.post(f"/SIP/CredentialLists/{lst['sid']}/Credentials.json", Username=user, Password=PASSWORD)
            self.post(f"/SIP/Domains/{d['sid']}/Auth/Calls/CredentialListMappings.json", CredentialListSid=lst["sid"])
            made.credential_list = lst["sid"]
            if registers:
                self.post(f"/SIP/Domains/{d['sid']}/Auth/Registrations/CredentialListMappings.json", CredentialListSid=lst["sid"])
        return made

    def notifications(self, code=None, call_sid=None):
        path = f"/Calls/{call_sid}/Notifications.json" if call_sid else "/Notifications.json"
        rows = self.get(path, PageSize=200)["notifications"]
        return [n for n in rows if code is None or n["error_code"] == str(code)]


class Domain:
    acl = credential_list = None

    def __init__(self, rest, properties):
        self.rest, self.sid, self.name, self.properties = rest, properties["sid"], properties["domain_name"], properties

    def uri(self, user="100"):
        return f"sip:{user}@{self.name}"

    def update(self, **form):
        return self.rest.post(f"/SIP/Domains/{self.sid}.json", **form)

    def delete(self):
        self.rest.delete(f"/SIP/Domains/{self.sid}.json")
        if self.acl:
            self.rest.delete(f"/SIP/IpAccessControlLists/{self.acl}.json")
        if self.credential_list:
            self.rest.delete(f"/SIP/CredentialLists/{self.credential_list}.json")
