-- Ends a lease and keeps a dead letter. Asked twice, as after an answer that got lost, it keeps one.
-- KEYS: leases, letters. ARGV: field, letter, most letters.
local leases, letters = own(KEYS[1], 'hash'), own(KEYS[2], 'list')
if redis.call('HDEL', leases, ARGV[1]) == 1 or redis.call('LINDEX', letters, 0) ~= ARGV[2] then
  redis.call('LPUSH', letters, ARGV[2])
  redis.call('LTRIM', letters, 0, ARGV[3] - 1)
end
return 0
