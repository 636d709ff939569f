-- Writes a list, if the stored one is that which it replaces and no change is
-- pending. Keys: the user. Arguments: the edition that is replaced or '', the
-- new one, the record.
local stored = redis.call('HMGET', KEYS[1], 'edition', 'pending')
if stored[2] or (stored[1] or '') ~= ARGV[1] then
    return 0
end
redis.call('HSET', KEYS[1], 'edition', ARGV[2], 'list', ARGV[3])
return 1
