/*
 * ext_network.c - addresses and networks of the internet, versions 4 and 6.
 *
 * A value of type net.IP or net.CIDR is its canonical text (dotted numbers; RFC 5952), so
 * that equal values have equal bytes and are written as they are. Functions read it again:
 * that takes less than finding room for anything else would.
 *
 * Not addresses here: those with a zone (fe80::1%eth0), and one of version 4 written inside
 * of version 6 (::ffff:192.168.0.1), of which nobody can say what it is.
 */
#include "base/checked.h"
#include "base/digit.h"
#include "base/ensure.h"
#include "base/text.h"
#include "expr/ext.h"

enum { IPV4_BYTES = 4, IPV6_BYTES = 16, IPV6_GROUPS = 8 };

struct address {
    uint8_t bytes[IPV6_BYTES];
    uint32_t size; /* IPV4_BYTES or IPV6_BYTES */
};

struct network {
    struct address address; /* bits behind the prefix may be set: masked() clears them */
    uint32_t prefix;
};

/* A decimal number without leading zeros, up to `max`. */
static bool read_number(struct span digits, uint32_t max, uint32_t *number)
{
    *number = 0;
    if (digits.size == 0 || digits.size > 3 || (digits.size > 1 && digits.text[0] == '0'))
        return false;
    for (size_t i = 0; i < digits.size; i++) {
        if (!digit_is_decimal(digits.text[i]))
            return false;
        *number = *number * 10 + digit_value(digits.text[i]);
    }
    return *number <= max;
}

static bool read_dotted(struct span text, uint8_t bytes[IPV4_BYTES])
{
    for (size_t i = 0; i < IPV4_BYTES; i++) {
        uint32_t number;
        size_t dot = i + 1 < IPV4_BYTES ? span_find(text, SPAN("."), 0) : text.size;
        if (dot == SIZE_MAX || !read_number(span_slice(text, 0, dot), UINT8_MAX, &number))
            return false;
        bytes[i] = (uint8_t)number;
        text = span_slice(text, i + 1 < IPV4_BYTES ? dot + 1 : dot, text.size);
    }
    return true;
}

static bool read_group(struct span digits, uint8_t bytes[2])
{
    uint32_t number = 0;
    if (digits.size == 0 || digits.size > 4)
        return false;
    for (size_t i = 0; i < digits.size; i++) {
        uint32_t digit = digit_value(digits.text[i]);
        if (digit >= 16)
            return false;
        number = number << 4 | digit;
    }
    bytes[0] = (uint8_t)(number >> 8);
    bytes[1] = (uint8_t)number;
    return true;
}

/* The groups of one side of `::`, or of the whole; false when there are more than fit. */
static bool read_groups(struct span text, uint8_t *bytes, uint32_t *size, bool *is_dotted)
{
    *size = 0;
    while (text.size > 0) {
        size_t colon = span_find(text, SPAN(":"), 0);
        struct span group = span_slice(text, 0, colon == SIZE_MAX ? text.size : colon);
        if (colon == SIZE_MAX && *size + IPV4_BYTES <= IPV6_BYTES &&
            span_find(group, SPAN("."), 0) != SIZE_MAX) {
            *is_dotted = true;
            *size += IPV4_BYTES;
            return read_dotted(group, bytes + *size - IPV4_BYTES);
        }
        if (*size == IPV6_BYTES || !read_group(group, bytes + *size))
            return false;
        *size += 2;
        if (colon != SIZE_MAX && colon + 1 == text.size)
            return false;
        text = span_slice(text, colon == SIZE_MAX ? text.size : colon + 1, text.size);
    }
    return true;
}

static bool is_mapped(const struct address *address)
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
    return address->size == IPV6_BYTES && memcmp(address->bytes, prefix, sizeof prefix) == 0;
}

static bool read_ipv6(struct span text, struct address *address)
{
    uint8_t right[IPV6_BYTES];
    uint32_t left_size;
    uint32_t right_size = 0;
    bool is_dotted = false;
    size_t gap = span_find(text, SPAN("::"), 0);
    address->size = IPV6_BYTES;
    memset(address->bytes, 0, sizeof address->bytes);
    if (!read_groups(span_slice(text, 0, gap == SIZE_MAX ? text.size : gap), address->bytes,
                     &left_size, &is_dotted))
        return false;
    if (gap == SIZE_MAX)
        return left_size == IPV6_BYTES && !(is_dotted && is_mapped(address));
    if (is_dotted ||
        !read_groups(span_slice(text, gap + 2, text.size), right, &right_size, &is_dotted))
        return false;
    if (left_size + right_size >= IPV6_BYTES) /* `::` stands for one group at least */
        return false;
    memcpy(address->bytes + IPV6_BYTES - right_size, right, right_size);
    return !(is_dotted && is_mapped(address));
}

static bool read_address(struct span text, struct address *address)
{
    if (span_find(text, SPAN(":"), 0) != SIZE_MAX)
        return read_ipv6(text, address);
    address->size = IPV4_BYTES;
    return read_dotted(text, address->bytes);
}

static bool read_network(struct span text, struct network *network)
{
    size_t slash = span_find(text, SPAN("/"), 0);
    return slash != SIZE_MAX && read_address(span_slice(text, 0, slash), &network->address) &&
           read_number(span_slice(text, slash + 1, text.size), network->address.size * 8,
                       &network->prefix);
}

static uint32_t group_at(const struct address *address, size_t index)
{
    return (uint32_t)address->bytes[2 * index] << 8 | address->bytes[2 * index + 1];
}

/* The first of the longest runs of zero groups, two at least; its length is 0 without one. */
static uint32_t find_gap(const struct address *address, uint32_t *length)
{
    uint32_t best = 0;
    *length = 0;
    for (uint32_t i = 0; i < IPV6_GROUPS; i++) {
        uint32_t end = i;
        while (end < IPV6_GROUPS && group_at(address, end) == 0)
            end++;
        if (end - i > *length && end - i > 1) {
            best = i;
            *length = end - i;
        }
    }
    return best;
}

static void add_ipv6(struct text *text, const struct address *address)
{
    uint32_t length;
    uint32_t gap = find_gap(address, &length);
    for (uint32_t i = 0; i < IPV6_GROUPS; i++) {
        if (length > 0 && i == gap) {
            text_add(text, SPAN("::"));
            i += length - 1;
            continue;
        }
        if (i > 0 && (length == 0 || i != gap + length))
            text_add_byte(text, ':');
        text_format(text, "%x", (unsigned)group_at(address, i));
    }
}

static void add_address(struct text *text, const struct address *address)
{
    if (address->size == IPV6_BYTES)
        add_ipv6(text, address);
    else
        text_format(text, "%u.%u.%u.%u", address->bytes[0], address->bytes[1],
                    address->bytes[2], address->bytes[3]);
}

static struct value ip_value(struct vm *vm, const struct address *address)
{
    struct text text;
    text_init(&text, vm->arena);
    add_address(&text, address);
    struct value value = value_string(text_span(&text));
    value.kind = VALUE_IP;
    return value;
}

static struct value cidr_value(struct vm *vm, const struct network *network)
{
    struct text text;
    text_init(&text, vm->arena);
    add_address(&text, &network->address);
    text_format(&text, "/%u", network->prefix);
    struct value value = value_string(text_span(&text));
    value.kind = VALUE_CIDR;
    return value;
}

/* Of a value of the kind, which was made from an address. */
static struct address address_of(struct value value)
{
    struct address address;
    bool is_read = read_address(value_span(value), &address);
    ensure(value.kind == VALUE_IP && is_read);
    return address;
}

static struct network network_of(struct value value)
{
    struct network network;
    bool is_read = read_network(value_span(value), &network);
    ensure(value.kind == VALUE_CIDR && is_read);
    return network;
}

static struct value unreadable(struct vm *vm, struct value text, const char *what)
{
    enum { SHOWN_MAX = 64 };
    struct span shown = value_span(text);
    shown.size = shown.size > SHOWN_MAX ? 0 : shown.size;
    return vm_error(vm, "'%.*s' is no %s", SPAN_ARGS(shown), what);
}

static struct value ip(struct vm *vm, const struct value *arguments, size_t count)
{
    struct address address;
    (void)count;
    if (arguments[0].kind == VALUE_IP)
        return arguments[0];
    return read_address(value_span(arguments[0]), &address)
               ? ip_value(vm, &address)
               : unreadable(vm, arguments[0], "IP address");
}

static struct value cidr(struct vm *vm, const struct value *arguments, size_t count)
{
    struct network network;
    (void)count;
    if (arguments[0].kind == VALUE_CIDR)
        return arguments[0];
    return read_network(value_span(arguments[0]), &network)
               ? cidr_value(vm, &network)
               : unreadable(vm, arguments[0], "CIDR network");
}

static struct value is_ip(struct vm *vm, const struct value *arguments, size_t count)
{
    struct address address;
    (void)vm;
    (void)count;
    return value_bool(read_address(value_span(arguments[0]), &address));
}

static struct value is_cidr(struct vm *vm, const struct value *arguments, size_t count)
{
    struct network network;
    (void)vm;
    (void)count;
    return value_bool(read_network(value_span(arguments[0]), &network));
}

static struct value is_canonical(struct vm *vm, const struct value *arguments, size_t count)
{
    struct address address;
    (void)count;
    if (!read_address(value_span(arguments[0]), &address))
        return unreadable(vm, arguments[0], "IP address");
    return value_bool(span_equal(value_span(arguments[0]), value_span(ip_value(vm, &address))));
}

static struct value family(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)vm;
    (void)count;
    return value_int(address_of(arguments[0]).size == IPV4_BYTES ? 4 : 6);
}

/* Whether the first bits of both are the same. */
static bool is_within(const struct address *address, const uint8_t *prefix, uint32_t bits)
{
    uint32_t whole = bits / 8;
    unsigned mask = 0xff00u >> bits % 8 & 0xff;
    return memcmp(address->bytes, prefix, whole) == 0 &&
           (mask == 0 || ((address->bytes[whole] ^ prefix[whole]) & mask) == 0);
}

/* The ranges with a purpose, for both versions. */
struct purpose {
    uint8_t ipv4[IPV4_BYTES];
    uint8_t ipv6[IPV6_BYTES];
    uint8_t bits[2]; /* of version 4, of version 6 */
};

static const struct purpose unspecified = {{0}, {0}, {32, 128}};
static const struct purpose loopback = {{127}, {[15] = 1}, {8, 128}};
static const struct purpose multicast = {{224}, {0xff}, {4, 8}};
static const struct purpose link_multicast = {{224}, {0xff, 0x02}, {24, 16}};
static const struct purpose link_unicast = {{169, 254}, {0xfe, 0x80}, {16, 10}};

static bool is_for(const struct address *address, const struct purpose *purpose)
{
    bool is_ipv4 = address->size == IPV4_BYTES;
    return is_within(address, is_ipv4 ? purpose->ipv4 : purpose->ipv6,
                     purpose->bits[is_ipv4 ? 0 : 1]);
}

static struct value is_unspecified(struct vm *vm, const struct value *arguments, size_t count)
{
    struct address address = address_of(arguments[0]);
    (void)vm;
    (void)count;
    return value_bool(is_for(&address, &unspecified));
}

static struct value is_loopback(struct vm *vm, const struct value *arguments, size_t count)
{
    struct address address = address_of(arguments[0]);
    (void)vm;
    (void)count;
    return value_bool(is_for(&address, &loopback));
}

static struct value is_link_multicast(struct vm *vm, const struct value *arguments,
                                      size_t count)
{
    struct address address = address_of(arguments[0]);
    (void)vm;
    (void)count;
    /* Any flags (the third digit) of version 6, but the scope of the link. */
    if (address.size == IPV6_BYTES)
        return value_bool(address.bytes[0] == 0xff && (address.bytes[1] & 0x0f) == 0x02);
    return value_bool(is_for(&address, &link_multicast));
}

static struct value is_link_unicast(struct vm *vm, const struct value *arguments, size_t count)
{
    struct address address = address_of(arguments[0]);
    (void)vm;
    (void)count;
    return value_bool(is_for(&address, &link_unicast));
}

/* Private ranges count as global here, as in other implementations. */
static struct value is_global_unicast(struct vm *vm, const struct value *arguments,
                                      size_t count)
{
    static const uint8_t broadcast[IPV4_BYTES] = {255, 255, 255, 255};
    struct address address = address_of(arguments[0]);
    (void)vm;
    (void)count;
    if (address.size == IPV4_BYTES && memcmp(address.bytes, broadcast, IPV4_BYTES) == 0)
        return value_bool(false);
    return value_bool(!is_for(&address, &unspecified) && !is_for(&address, &loopback) &&
                      !is_for(&address, &multicast) && !is_for(&address, &link_unicast));
}

static bool contains(const struct network *network, const struct address *address)
{
    return network->address.size == address->size &&
           is_within(address, network->address.bytes, network->prefix);
}

static struct value contains_ip(struct vm *vm, const struct value *arguments, size_t count)
{
    struct network network = network_of(arguments[0]);
    struct address address;
    (void)count;
    if (!read_address(value_span(arguments[1]), &address))
        return unreadable(vm, arguments[1], "IP address");
    return value_bool(contains(&network, &address));
}

static struct value contains_cidr(struct vm *vm, const struct value *arguments, size_t count)
{
    struct network outer = network_of(arguments[0]);
    struct network inner;
    (void)count;
    if (!read_network(value_span(arguments[1]), &inner))
        return unreadable(vm, arguments[1], "CIDR network");
    return value_bool(outer.prefix <= inner.prefix && contains(&outer, &inner.address));
}

static struct value cidr_ip(struct vm *vm, const struct value *arguments, size_t count)
{
    struct network network = network_of(arguments[0]);
    (void)count;
    return ip_value(vm, &network.address);
}

static void mask(struct network *network)
{
    for (uint32_t i = 0; i < network->address.size; i++) {
        uint32_t bits = network->prefix > 8 * i ? network->prefix - 8 * i : 0;
        network->address.bytes[i] &= (uint8_t)(bits >= 8 ? 0xff : 0xff00u >> bits);
    }
}

static struct value masked(struct vm *vm, const struct value *arguments, size_t count)
{
    struct network network = network_of(arguments[0]);
    (void)count;
    mask(&network);
    return cidr_value(vm, &network);
}

static struct value is_mask(struct vm *vm, const struct value *arguments, size_t count)
{
    struct network network = network_of(arguments[0]);
    struct network clear = network;
    (void)vm;
    (void)count;
    mask(&clear);
    return value_bool(
        memcmp(network.address.bytes, clear.address.bytes, network.address.size) == 0);
}

static struct value prefix_length(struct vm *vm, const struct value *arguments, size_t count)
{
    (void)vm;
    (void)count;
    return value_int(network_of(arguments[0]).prefix);
}

enum { GLOBAL = BUILTIN_GLOBAL, METHOD = BUILTIN_METHOD };

static const struct builtin functions[] = {
    {SPAN_INIT("ip"), GLOBAL, 1, 1, true, {KINDS_STRING | KINDS_IP}, ip},
    {SPAN_INIT("cidr"), GLOBAL, 1, 1, true, {KINDS_STRING | KINDS_CIDR}, cidr},
    {SPAN_INIT("isIP"), GLOBAL, 1, 1, false, {KINDS_STRING}, is_ip},
    {SPAN_INIT("isCIDR"), GLOBAL, 1, 1, false, {KINDS_STRING}, is_cidr},
    {SPAN_INIT("ip.isCanonical"), GLOBAL, 1, 1, true, {KINDS_STRING}, is_canonical},
    {SPAN_INIT("family"), METHOD, 1, 1, false, {KINDS_IP}, family},
    {SPAN_INIT("isUnspecified"), METHOD, 1, 1, false, {KINDS_IP}, is_unspecified},
    {SPAN_INIT("isLoopback"), METHOD, 1, 1, false, {KINDS_IP}, is_loopback},
    {SPAN_INIT("isLinkLocalMulticast"), METHOD, 1, 1, false, {KINDS_IP}, is_link_multicast},
    {SPAN_INIT("isLinkLocalUnicast"), METHOD, 1, 1, false, {KINDS_IP}, is_link_unicast},
    {SPAN_INIT("isGlobalUnicast"), METHOD, 1, 1, false, {KINDS_IP}, is_global_unicast},
    {SPAN_INIT("containsIP"),
     METHOD,
     2,
     2,
     false,
     {KINDS_CIDR, KINDS_STRING | KINDS_IP},
     contains_ip},
    {SPAN_INIT("containsCIDR"),
     METHOD,
     2,
     2,
     false,
     {KINDS_CIDR, KINDS_STRING | KINDS_CIDR},
     contains_cidr},
    {SPAN_INIT("ip"), METHOD, 1, 1, true, {KINDS_CIDR}, cidr_ip},
    {SPAN_INIT("masked"), METHOD, 1, 1, true, {KINDS_CIDR}, masked},
    {SPAN_INIT("isMask"), METHOD, 1, 1, false, {KINDS_CIDR}, is_mask},
    {SPAN_INIT("prefixLength"), METHOD, 1, 1, false, {KINDS_CIDR}, prefix_length},
};

const struct builtin_library ext_network_library = {functions,
                                                    sizeof functions / sizeof *functions};
