-- Ends a pending change, if it is still that one. Keys: the first user.
-- Arguments: the change; then the new edition and the record, unless the
-- change has failed.
local pending = redis.call('HGET', KEYS[1], 'pending')
if not pending or string.sub(pending, 2, 17) ~= ARGV[1] then
    return 0
end
if ARGV[2] then
    redis.call('HSET', KEYS[1], 'edition', ARGV[2], 'list', ARGV[3])
end
redis.call('HDEL', KEYS[1], 'pending')
return 1
