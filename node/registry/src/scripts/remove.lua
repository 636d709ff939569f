-- An operator takes a shard off the ring; if it lives, it gives its slots up
-- and ends. It is not declared dead. ARGV: seen, name.
local seen, name = unpack(ARGV)
if not member(name) then return { 'unknown' } end
if not others(name, true) then return { 'last' } end
retire(name)
moved(seen)
return { 'done' }
