-- An operator takes a shard off the ring; if it lives, it gives its slots up
-- and ends. It is not declared dead. ARGV: seen, name.
local seen, name = unpack(ARGV)
local own = member(name)
if own and not others(name, true) then return { 'last' } end
redis.call('HDEL', ring, 'weight:' .. name)
if not own then return { 'unknown' } end
retire(name)
moved(seen)
return { 'done' }
