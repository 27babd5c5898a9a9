-- Notes in a lease, if it still exists, how often its entry failed and when it is tried again.
-- KEYS: leases. ARGV: field, attempts, ready.
local host, priority, due, _, _, member = parts_of(redis.call('HGET', own(KEYS[1], 'hash'), ARGV[1]))
if host then
  redis.call('HSET', KEYS[1], ARGV[1], table.concat({ host, priority, due, ARGV[2], ARGV[3], member }, ' '))
end
return 0
