// The packet path allocates nothing: every operator new of this binary is counted.
#include <atomic>
#include <cstdlib>
#include <new>

#include "packets.h"

namespace {

std::atomic<std::size_t> allocations{0};

void* counted(std::size_t size) {
    allocations.fetch_add(1, std::memory_order_relaxed);
    if (void* const memory = std::malloc(size == 0 ? 1 : size); memory != nullptr) {
        return memory;
    }
    throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t size) { return counted(size); }

void* operator new[](std::size_t size) { return counted(size); }

void operator delete(void* memory) noexcept { std::free(memory); }

void operator delete[](void* memory) noexcept { std::free(memory); }

void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace steerd::dns {
namespace {

TEST(Allocations, AreCountedAtAll) {
    const std::size_t before = allocations.load();
    const auto memory = std::make_unique<std::array<int, 3>>();
    EXPECT_EQ(allocations.load(), before + 1) << memory.get();
}

TEST(Allocations, ParsingAndAnsweringMakesNone) {
    QueryOptions options;
    options.edns.emplace().subnet = base::IpPrefix::parse("203.0.113.0/24");
    options.edns->nsid = true;
    const Bytes packet = compose_query(name("www.example.com"), RrType::MX, options);
    const Bytes broken = query_with(option(8, {0, 9}));
    const OwnedRrset mx = OwnedRrset("www.example.com", RrType::MX)
                              .add(u16(1) + wire(name("a.example.com")))
                              .add(u16(2) + wire(name("b.example.net")));
    const OwnedRrset big = OwnedRrset("big.example.com", RrType::TXT).add(Bytes(600, 'x'));
    const std::array addresses{base::IpAddress::v4(1), base::IpAddress::v4(2)};
    const Name target = name("target.example.org");
    const Bytes identity{'i', 'd'};
    std::array<std::uint8_t, 512> out;

    const std::size_t before = allocations.load();
    std::size_t octets = 0;
    for (const Bytes* const input : {&packet, &broken}) {
        const ParsedQuery parsed = parse_query(*input);
        ResponseWriter writer(out, out.size(), parsed.query);
        writer.set_identity(identity);
        writer.set_rcode(parsed.rcode);
        (void)writer.add_cname(Section::Answer, parsed.query.qname, Ttl(1), target);
        (void)writer.add_addresses(Section::Answer, target, Ttl(1), addresses);
        (void)writer.add(Section::Answer, mx.view());
        (void)writer.add(Section::Authority, big.view());
        octets += writer.finish();
        octets += hash(parsed.query.qname, 7) == 0 ? 1 : 0;
        octets += Name(parsed.query.qname).lowered().size();
    }
    const std::size_t after = allocations.load();
    EXPECT_EQ(after, before);
    EXPECT_GT(octets, 200U);
}

static_assert(noexcept(parse_query(std::span<const std::uint8_t>())));
static_assert(noexcept(std::declval<ResponseWriter&>().finish()));
static_assert(noexcept(std::declval<ResponseWriter&>().add(Section::Answer,
                                                           std::declval<const RrsetView&>())));

}  // namespace
}  // namespace steerd::dns
