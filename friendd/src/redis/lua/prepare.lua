-- Makes a change pending, if the stored list is that which it replaces and no
-- other is. Keys: the first user. Arguments: the edition that is replaced or
-- '', the intent.
local stored = redis.call('HMGET', KEYS[1], 'edition', 'pending')
if stored[2] or (stored[1] or '') ~= ARGV[1] then
    return 0
end
redis.call('HSET', KEYS[1], 'pending', ARGV[2])
return 1
