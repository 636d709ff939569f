-- Tells of a group, whom it knows, the heads of its newest messages, newest
-- first, and whether these are all from that time on. Keys: the slot, the group,
-- its members, its log. Arguments: the token, the oldest stamp that is wanted, how
-- many messages at most, bytes of a row's head.
local held = redis.call('HMGET', KEYS[1], 'token', 'holder')
if held[1] ~= ARGV[1] or not held[2] then
    return 0
end
local fields = {'record', 'epoch', 'last', 'messages', 'newest', 'first'}
local known = redis.call('HMGET', KEYS[2], unpack(fields))
if not known[1] then
    return {}
end
local since, most = tonumber(ARGV[2]), tonumber(ARGV[3])
local heads, to = {}, '+'
local function look()
    if tonumber(known[5]) < since then
        return '1'
    end
    while true do
        local page = redis.call('XREVRANGE', KEYS[4], to, '-', 'COUNT', 64)
        for _, entry in ipairs(page) do
            local row = entry[2][2]
            -- Stamps ascend.
            if struct.unpack('<I8', row) < since then
                return '1'
            end
            if #heads == most then
                return '0'
            end
            -- Behind the id of who wrote it stands what it is.
            if row:byte(18 + row:byte(17)) == 0 then
                heads[#heads + 1] = {entry[1], row:sub(1, ARGV[4])}
            end
            to = '(' .. entry[1]
        end
        if #page < 64 then
            -- Nothing has gone.
            return known[6] == '1' and '1' or '0'
        end
    end
end
known[6] = look()
return {known, redis.call('HGETALL', KEYS[3]), heads}
