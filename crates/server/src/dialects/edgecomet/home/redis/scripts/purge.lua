-- Empties a queue, and answers how many entries it had.
-- KEYS: queue, attempts. ARGV: priority.
local purged = redis.call('ZCARD', KEYS[1])
redis.call('UNLINK', KEYS[1])
local prefix = ARGV[1] .. ':'
for _, entry in ipairs(redis.call('HKEYS', own(KEYS[2], 'hash'))) do
  if string.sub(entry, 1, #prefix) == prefix then
    redis.call('HDEL', KEYS[2], entry)
  end
end
return purged
