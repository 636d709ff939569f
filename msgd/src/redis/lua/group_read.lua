-- Reads a part of a group's log. Keys: the slot, the group, its log. Arguments:
-- the token, 'after', 'before' or 'since', a number or a stamp, how many entries
-- at most, how many bytes at most.
local held = redis.call('HMGET', KEYS[1], 'token', 'holder')
if held[1] ~= ARGV[1] or not held[2] then
    return 0
end
local known = redis.call('HMGET', KEYS[2], 'first', 'last')
if not known[1] then
    return {}
end
local first, last = tonumber(known[1]), tonumber(known[2])
local at, count, bytes = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])

local function id(seq)
    return string.format('%.0f-0', seq)
end
-- As proto's LogEntry::weight: the body and 64 for each mention, 256 for what is
-- no message.
local function weight(row)
    local at = 18 + row:byte(17)
    if row:byte(at) ~= 0 then
        return 256
    end
    local mentions = row:byte(at + 25)
    at = at + 26
    for _ = 1, mentions do
        at = at + 1 + row:byte(at)
    end
    return #row - at + 1 + 64 * mentions
end

local from = first
if ARGV[2] == 'after' then
    from = math.max(first, at + 1)
elseif ARGV[2] == 'since' then
    local behind = last + 1
    while from < behind do
        local middle = math.floor((from + behind) / 2)
        local entry = redis.call('XRANGE', KEYS[3], id(middle), id(middle))[1]
        if struct.unpack('<I8', entry[2][2]) < at then
            from = middle + 1
        else
            behind = middle
        end
    end
end
local backwards = ARGV[2] == 'before'
if backwards then
    from = last
    if at > 0 then
        from = math.min(last, at - 1)
    end
end

local found = {}
local function look()
    while #found < count and from >= first and from <= last do
        local most = math.min(count - #found, 100)
        local page
        if backwards then
            page = redis.call('XREVRANGE', KEYS[3], id(from), '-', 'COUNT', most)
            from = from - most
        else
            page = redis.call('XRANGE', KEYS[3], id(from), '+', 'COUNT', most)
            from = from + most
        end
        for _, entry in ipairs(page) do
            bytes = bytes - weight(entry[2][2])
            if #found > 0 and bytes < 0 then
                return
            end
            found[#found + 1] = entry
        end
    end
end
look()
return {known[1], found}
