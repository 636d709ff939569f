-- A shard comes. ARGV: seen, name, weight, incarnation, address, lease in ms.
-- A former life of it may still have its lease; another process under its name
-- keeps its place as long as it lives.
local seen, name, weight, incarnation, address, length = unpack(ARGV)
local former = member(name)
if former and former.address ~= address and lives(former.incarnation) then
    return { 'taken', former.address }
end
redis.call('SET', lease(incarnation), name, 'PX', length)
put(name, tonumber(weight), incarnation, address)
moved(seen)
return { 'done' }
