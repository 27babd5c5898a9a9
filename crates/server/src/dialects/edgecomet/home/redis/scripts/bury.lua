-- Ends a lease and keeps a dead letter. Asked twice, as after an answer that got lost, it keeps one: others may have come
-- meanwhile, no more than are told at a time.
-- KEYS: leases, letters. ARGV: field, letter, most letters.
local leases, letters = own(KEYS[1], 'hash'), own(KEYS[2], 'list')
local kept = false
if redis.call('HDEL', leases, ARGV[1]) == 0 then
  for _, letter in ipairs(redis.call('LRANGE', letters, 0, 999)) do
    kept = kept or letter == ARGV[2]
  end
end
if not kept then
  redis.call('LPUSH', letters, ARGV[2])
  redis.call('LTRIM', letters, 0, ARGV[3] - 1)
end
return 0
