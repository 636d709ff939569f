-- Writes to a group, or makes it: all of it, or nothing where its log does not
-- end as told. Keys: the slot, the group, its members, its log. Arguments: the
-- token, the epoch with all its digits, where the log ends before, the record or
-- '', the oldest stamp or 0, how many entries are kept, messages up to the last
-- entry and its stamp, how many entries, their rows, then each member with a row
-- or ''.
local held = redis.call('HMGET', KEYS[1], 'token', 'holder')
if held[1] ~= ARGV[1] or not held[2] then
    return 0
end
local known = redis.call('HMGET', KEYS[2], 'epoch', 'last', 'first')
local first, last = 1, tonumber(ARGV[3])
local begins = not known[1] or known[1] < ARGV[2]
if begins and (last ~= 0 or ARGV[4] == '') then
    return {0, 0}
end
if not begins and (known[1] ~= ARGV[2] or tonumber(known[2]) ~= last) then
    return {0, 0}
end

local function id(seq)
    return string.format('%.0f-0', seq)
end
local function stamp(seq)
    local entry = redis.call('XRANGE', KEYS[4], id(seq), id(seq))[1]
    return struct.unpack('<I8', entry[2][2])
end

if begins then
    redis.call('UNLINK', KEYS[4])
    redis.call('HSET', KEYS[2], 'epoch', ARGV[2], 'messages', 0, 'newest', 0)
else
    first = tonumber(known[3])
end
local from, oldest = first, tonumber(ARGV[5])
-- What is too old: stamps ascend.
if oldest > 0 and first <= last and stamp(first) < oldest then
    local behind = last + 1
    while first < behind do
        local middle = math.floor((first + behind) / 2)
        if stamp(middle) < oldest then
            first = middle + 1
        else
            behind = middle
        end
    end
end

local count = tonumber(ARGV[9])
for i = 10, 9 + count do
    last = last + 1
    redis.call('XADD', KEYS[4], id(last), 'm', ARGV[i])
end
if count > 0 then
    redis.call('HSET', KEYS[2], 'messages', ARGV[7], 'newest', ARGV[8])
end
first = math.max(first, last + 1 - tonumber(ARGV[6]))
if first > from then
    redis.call('XTRIM', KEYS[4], 'MINID', id(first))
end
local text = '%.0f'
redis.call('HSET', KEYS[2], 'last', text:format(last), 'first', text:format(first))
if ARGV[4] ~= '' then
    redis.call('HSET', KEYS[2], 'record', ARGV[4])
end
for i = 10 + count, #ARGV, 2 do
    if ARGV[i + 1] == '' then
        redis.call('HDEL', KEYS[3], ARGV[i])
    else
        redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 1])
    end
end
return {1, first - from}
