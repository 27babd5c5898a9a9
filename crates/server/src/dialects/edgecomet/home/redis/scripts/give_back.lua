-- Puts leased entries back into their queues. Where one is queued again already, the earlier time stays, and a later one
-- was asked for anew, which forgets attempts. A lease whose queue is no queue any more stays.
-- KEYS: leases, and for leases of somebody else the heartbeat that must be gone.
-- ARGV: for each lease its field, and the least due time and attempts to give it.
-- Answers how many entries went back, and how many leases made no sense.
if KEYS[2] and redis.call('EXISTS', KEYS[2]) == 1 then
  return { 0, 0 }
end
local leases = own(KEYS[1], 'hash')
local returned, senseless = 0, 0
for i = 1, #ARGV, 3 do
  local lease = redis.call('HGET', leases, ARGV[i])
  local host, priority, due, attempts, ready, member = parts_of(lease)
  if host and tonumber(due) then
    for _, later in ipairs({ ready, ARGV[i + 1] }) do
      if tonumber(later) > tonumber(due) then
        due = later
      end
    end
    if tonumber(ARGV[i + 2]) > tonumber(attempts) then
      attempts = ARGV[i + 2]
    end
    local queue = 'recache:' .. host .. ':' .. priority
    local kind = redis.call('TYPE', queue).ok
    if kind == 'zset' or kind == 'none' then
      local queued = redis.call('ZSCORE', queue, member)
      if not queued or tonumber(queued) > tonumber(due) then
        redis.call('ZADD', queue, due, member)
      end
      if not queued and tonumber(attempts) > 0 then
        redis.call('HSET', own('manifold:ec:attempts:' .. host, 'hash'), priority .. ':' .. member, attempts)
      end
      redis.call('HDEL', leases, ARGV[i])
      returned = returned + 1
    end
  elseif lease then
    redis.call('HDEL', leases, ARGV[i])
    senseless = senseless + 1
  end
end
return { returned, senseless }
