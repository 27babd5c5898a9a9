-- Moves dead letters back into queues. A queue that is none ends it with an error before its letter is gone.
-- KEYS: letters, attempts, queue high, queue normal, queue autorecache.
-- ARGV: now; then for each letter its text, and its queue (1 to 3) and member, or 0 and nothing for what is no letter.
-- Answers how many letters there still were.
local letters, attempts = own(KEYS[1], 'list'), own(KEYS[2], 'hash')
local names = { 'high', 'normal', 'autorecache' }
local retried = 0
for i = 2, #ARGV, 3 do
  local letter, queue, member = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2]
  if queue > 0 then
    -- An error where it is no queue.
    redis.call('ZCARD', KEYS[2 + queue])
  end
  -- From the end, which is where the oldest are.
  local removed = redis.call('LREM', letters, -1, letter)
  -- One that is gone was put back by somebody else, and its entry may have been taken since.
  if queue > 0 and removed > 0 then
    redis.call('ZADD', KEYS[2 + queue], ARGV[1], member)
    redis.call('HDEL', attempts, names[queue] .. ':' .. member)
    retried = retried + removed
  end
end
return retried
