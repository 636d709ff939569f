-- A lease goes on, unless it is over. ARGV: name, incarnation, number of the
-- renewal, number of the newest ring known, lease in ms. A server that forgot
-- the lease and not the shard is told of it anew, and one that forgot rings
-- learns of that.
local name, incarnation, renewal, known, length = unpack(ARGV)
local own = member(name)
local stands = own and own.incarnation == incarnation
if not stands and redis.call('HEXISTS', ring, 'gone:' .. incarnation) == 0 then
    return { 'over' }
end
if heard(incarnation) == 'over' then return { 'over' } end
if tonumber(known) > number() then moved(known) end
renew(incarnation, renewal, known, length)
return { 'done' }
