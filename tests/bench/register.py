"""The benchmark's part on registration: REGISTERs with digest of many users of one domain, new bindings first, then their renewals."""
import os

from kit import rest

from rest import psql

USERS = int(os.environ.get("BENCH_REGISTER_USERS", "10000"))
RATES = [int(r) for r in os.environ.get("BENCH_REGISTER_RATES", "1000,2000,3000").split(",")]

# As many users as one domain of the customer's could hold, past the REST limit of a list: its owner's SQL writes them.
FILL = f"""
INSERT INTO credentials (sid, account_sid, credential_list_sid, username, realm, ha1_md5, ha1_sha256)
SELECT 'CR' || md5('bench' || n), account_sid, sid, 'load' || n, '%(realm)s', md5('load' || n || ':%(realm)s:%(password)s'), ''
FROM credential_lists, generate_series(1, {USERS}) AS n WHERE sid = '%(list)s';
ANALYZE credentials
"""


def measure(work, signalling):
    """signalling(name, target, rate, count, extra) loads the stack with sipp/register.xml and gives the row."""
    api = rest.Rest()
    domain = api.domain(users=["nobody"], SipRegistration="true")
    try:
        api.post(f"/SIP/Domains/{domain.sid}/Auth/Registrations/CredentialListMappings.json", CredentialListSid=domain.credential_list)
        psql(FILL % {"realm": rest.BASE_DOMAIN, "password": rest.PASSWORD, "list": domain.credential_list})
        users = work / "users.csv"
        users.write_text("SEQUENTIAL\n" + "".join(
            f"load{n};[authentication username=load{n} password={rest.PASSWORD}]\n" for n in range(1, USERS + 1)))
        extra = ("-inf", str(users))
        rows = [signalling("register-new", domain.name, RATES[0], USERS, extra)]
        rows += [signalling("register", domain.name, rate, USERS, extra) for rate in RATES]
        bound = int(psql(f"SELECT count(*) FROM registrations WHERE domain_sid = '{domain.sid}'"))
        assert bound == USERS or any(row["failed"] for row in rows), f"{bound} bindings of {USERS} users"
        return rows
    finally:
        domain.delete()
