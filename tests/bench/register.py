"""The benchmark's part on registration: REGISTERs with digest of many users of one domain, new bindings first, then their renewals."""
import os

import measure
from kit import rest

from rest import psql

USERS = int(os.environ.get("BENCH_REGISTER_USERS", "10000"))
RATES = measure.numbers("BENCH_REGISTER_RATES", "1000,2000,3000")

# As many users as one domain of the customer's could hold, past the REST limit of a list: its owner's SQL writes them.
FILL = f"""
INSERT INTO credentials (sid, account_sid, credential_list_sid, username, realm, ha1_md5, ha1_sha256)
SELECT 'CR' || md5('bench' || n), account_sid, sid, 'load' || n, '%(realm)s', md5('load' || n || ':%(realm)s:%(password)s'), ''
FROM credential_lists, generate_series(1, {USERS}) AS n WHERE sid = '%(list)s';
ANALYZE credentials
"""


def run(found, work, docs, tools, web):
    api = rest.Rest()
    domain = api.domain(users=["nobody"], registers=True)
    try:
        psql(FILL % {"realm": rest.BASE_DOMAIN, "password": rest.PASSWORD, "list": domain.credential_list})
        users = work / "users.csv"
        users.write_text("SEQUENTIAL\n" + "".join(
            f"load{n};[authentication username=load{n} password={rest.PASSWORD}]\n" for n in range(1, USERS + 1)))
        extra = ("-inf", str(users))
        for name, rate in (("register-new", RATES[0]), *(("register", rate) for rate in RATES)):
            row = measure.signalling(found, name, "register", domain.name, rate, USERS, work, extra)
            yield row
        bound = int(psql(f"SELECT count(*) FROM registrations WHERE domain_sid = '{domain.sid}'"))
        assert bound == USERS or row["failed"], f"{bound} bindings of {USERS} users"
    finally:
        domain.delete()
