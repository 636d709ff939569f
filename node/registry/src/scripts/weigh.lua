-- An operator gives a shard another weight; with 0 it is drained: it lives and
-- has no slots. ARGV: seen, name, weight.
local seen, name, weight = unpack(ARGV)
local own = member(name)
if not own then return { 'unknown' } end
if own.weight == tonumber(weight) then return { 'done' } end
if tonumber(weight) == 0 and not others(name, true) then return { 'last' } end
put(name, tonumber(weight), own.incarnation, own.address)
moved(seen)
return { 'done' }
