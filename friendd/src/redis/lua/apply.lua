-- Writes the second list of a change, once. 1: it is written; 0: it replaces
-- another than the stored one, and can never be written; else what is pending
-- at the second user and comes first. Keys: the second user. Arguments: where
-- changes with the first user leave their mark, the change, the edition that
-- is replaced or '', the new one, the record.
local stored = redis.call('HMGET', KEYS[1], ARGV[1], 'edition', 'pending')
if stored[1] == ARGV[2] then
    -- Whoever did may not have heard that replicas have it: with what is
    -- written now they have it.
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
    return 1
end
if (stored[2] or '') ~= ARGV[3] then
    return 0
end
if stored[3] then
    return stored[3]
end
redis.call('HSET', KEYS[1], 'edition', ARGV[4], 'list', ARGV[5], ARGV[1], ARGV[2])
return 1
