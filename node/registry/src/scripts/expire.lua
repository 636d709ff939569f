-- Somebody saw leases gone. ARGV: seen, then name and incarnation of each. Who
-- is there under another incarnation, or lives after all, stays; so does who is
-- dead while nobody lives who could take the slots.
local dead = {}
for at = 2, #ARGV, 2 do
    local name, incarnation = ARGV[at], ARGV[at + 1]
    local own = member(name)
    if own and own.incarnation == incarnation and not lives(incarnation) then
        table.insert(dead, name)
    end
end
-- Who could take them is the same for all: nobody of the dead lives.
if #dead == 0 or not others('', true) then return { 'none' } end
for _, name in ipairs(dead) do redis.call('HDEL', ring, 'shard:' .. name) end
moved(ARGV[1])
return { 'done' }
