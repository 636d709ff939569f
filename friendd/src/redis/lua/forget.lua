-- Removes the mark of a change that has ended. Keys: the second user.
-- Arguments: where the mark is, the change.
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then
    return redis.call('HDEL', KEYS[1], ARGV[1])
end
return 0
