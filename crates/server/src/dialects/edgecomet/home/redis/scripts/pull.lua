-- Takes the entries that are due longest from a queue, and writes their leases.
-- KEYS: queue, leases, attempts. ARGV: now, most, run, number of the first lease, host, priority.
-- Answers whether entries that are due are left, then member, score and attempts of each.
local most = tonumber(ARGV[2])
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'WITHSCORES', 'LIMIT', 0, most + 1)
local answer = { #due > 2 * most and 1 or 0 }
if #due == 0 then
  return answer
end
local leases, attempts = own(KEYS[2], 'hash'), own(KEYS[3], 'hash')
for i = 1, math.min(#due, 2 * most), 2 do
  local member, score = due[i], due[i + 1]
  local entry = ARGV[6] .. ':' .. member
  local failed = string.match(redis.call('HGET', attempts, entry) or '0', '^%d+$') or '0'
  local field = ARGV[3] .. ':' .. string.format('%.0f', ARGV[4] + (i - 1) / 2)
  local lease = table.concat({ ARGV[5], ARGV[6], score, failed, '0', member }, ' ')
  redis.call('HSET', leases, field, lease)
  redis.call('HDEL', attempts, entry)
  redis.call('ZREM', KEYS[1], member)
  table.insert(answer, member)
  table.insert(answer, score)
  table.insert(answer, failed)
end
return answer
