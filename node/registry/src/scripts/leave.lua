-- A shard goes, and lives until it has stored what it holds. ARGV: seen, name,
-- incarnation. The last one stays: a ring is never empty.
local seen, name, incarnation = unpack(ARGV)
local own = member(name)
if not own or own.incarnation ~= incarnation then return { 'unknown' } end
if not others(name, true) then return { 'last' } end
retire(name)
redis.call('HDEL', ring, 'weight:' .. name)
moved(seen)
return { 'done' }
