-- An operator takes a shard off the ring; if it lives, it gives its slots up
-- and ends. Its lease is left alone: who lives is not declared dead. ARGV:
-- seen, name.
local seen, name = unpack(ARGV)
if not member(name) then return { 'unknown' } end
if not others(name, true) then return { 'last' } end
redis.call('HDEL', ring, 'shard:' .. name)
moved(seen)
return { 'done' }
