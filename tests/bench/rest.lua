-- What wrk sends and what it says of it: wrk ... URL -- KIND FILE BASIC RUN
--   get     each line of FILE is a path; they are asked for in an order that no cache likes
--   create  each line of FILE is a credential list's path; a user with a new name to each in turn
-- One thread: wrk gives each its own state, and names must not meet.
local paths, at, step, made, run, kind = {}, 0, 1, 0, "", "get"

function init(args)
	kind, run = args[1], args[4]
	for line in io.lines(args[2]) do
		paths[#paths + 1] = line
	end
	step = #paths > 7919 and 7919 or 1 -- a prime: every path has its turn
	wrk.headers["Authorization"] = "Basic " .. args[3]
	if kind == "create" then
		wrk.method = "POST"
		wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
	end
end

function request()
	at = (at + step) % #paths
	if kind == "get" then
		return wrk.format(nil, paths[at + 1])
	end
	made = made + 1
	return wrk.format(nil, paths[at + 1], nil, "Username=" .. run .. made .. "&Password=Correct1Horse2Battery")
end

function done(summary, latency, requests)
	local e = summary.errors
	io.write(string.format('RESULT {"requests": %d, "seconds": %.3f, "p50_ms": %.3f, "p99_ms": %.3f, "failed": %d}\n', summary.requests,
		summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
		e.connect + e.read + e.write + e.status + e.timeout))
end
