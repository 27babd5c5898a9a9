-- A key that nobody but us writes: whatever else is there was left by a mistake and would only be in the way.
local function own(key, kind)
  local found = redis.call('TYPE', key).ok
  if found ~= kind and found ~= 'none' then
    redis.call('DEL', key)
  end
  return key
end

-- A lease is "host priority due attempts ready member". `due` and `ready` are Unix seconds, ready is 0 before a retry.
local function parts_of(lease)
  return string.match(lease or '', '^(%d+) (%l+) (%S+) (%d+) (%d+) (.+)$')
end
