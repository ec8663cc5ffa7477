'use strict';
/* One process, one order: some tests fill an account to its limits, beside which no other could make anything. */
require('./domains');
require('./mappings');
require('./ip_access_control_lists');
require('./credential_lists');
require('./paging');
require('./protocol');
require('./limits');
require('./calls');
require('./accounts');
require('./representations');
require('./registrations');
require('./gateways');
require('./openapi');
require('./concurrency');
require('./operations');
