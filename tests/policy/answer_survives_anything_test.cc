// answer() with octets from anybody: mutated packets by the hundred thousand, and no allocation on
// any path. STEERD_MUTATIONS sets how many (1,000,000 in the long run).
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "asking.h"

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

// The standard library's temporary buffers come by this one.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    allocations.fetch_add(1, std::memory_order_relaxed);
    return std::malloc(size == 0 ? 1 : size);
}

void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }

void operator delete(void* memory) noexcept { std::free(memory); }

void operator delete[](void* memory) noexcept { std::free(memory); }

void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace steerd::policy::testing {
namespace {

using Packet = std::vector<std::uint8_t>;

std::vector<Packet> packets() {
    std::vector<Packet> out;
    for (const char* const question :
         {"www.example.com A", "geo.example.com AAAA", "sorry.example.com HTTPS",
          "hashed.example.com A", "ring.example.com A", "chain1.example.com A",
          "nothing.example.com A", "x.old.example.com A", "sub.example.com A",
          "loop1.example.com MX", "mail.example.com ANY", "into.example.com A",
          "through.example.com AAAA", "x.apps.example.com A", "servfail.example.com A",
          "nodata.example.com A", "big.example.com TXT", "example.net A"}) {
        const std::string_view text = question;
        const auto name = dns::Name::parse(text.substr(0, text.find(' ')));
        const auto type = dns::parse_type(text.substr(text.find(' ') + 1));
        out.push_back(dns::compose_query(*name, *type));
        dns::QueryOptions options;
        options.edns.emplace().subnet = net("203.0.113.0/24");
        options.edns->nsid = true;
        out.push_back(dns::compose_query(*name, *type, options));
        options.rrclass = dns::RrClass::CH;
        out.push_back(dns::compose_query(*name, *type, options));
    }
    return out;
}

TEST(PacketPath, AllocatesNothing) {
    std::string lines = kZoneLines;
    for (char c = 'a'; c <= 'z'; ++c) {
        lines += "big TXT \"" + std::string(60, c) + "\"\n";
    }
    Asking s(build(kAnswerConfig, lines));
    s.set("a", Health::Degraded).set("e", Health::Down).pending("b", Health::Down, 3);
    s.refresh();
    const auto all = packets();
    const std::size_t before = allocations.load();
    const auto probe = std::make_unique<int>(1);
    ASSERT_EQ(allocations.load(), before + 1) << "allocations are counted: " << *probe;
    std::size_t octets = 0;
    const std::size_t start = allocations.load();
    for (const Packet& packet : all) {
        for (std::uint64_t draw = 0; draw < 8; ++draw) {
            octets += s.send(packet, {.draw = draw}).size;
        }
    }
    EXPECT_EQ(allocations.load(), start);
    EXPECT_GT(octets, 0U);
}

Packet mutated(const Packet& from, base::Rng& rng) {
    Packet packet = from;
    for (std::uint64_t n = 1 + rng.below(4); n > 0; --n) {
        const std::size_t at = rng.below(packet.size());
        switch (rng.below(4)) {
            case 0:
                packet[at] = static_cast<std::uint8_t>(rng.next());
                break;
            case 1:
                packet[at] = static_cast<std::uint8_t>(packet[at] ^ 1U << rng.below(8));
                break;
            case 2:
                packet.resize(at + 1);
                break;
            default:
                packet.insert(packet.begin() + static_cast<std::ptrdiff_t>(at),
                              static_cast<std::uint8_t>(rng.next()));
        }
    }
    return packet;
}

[[maybe_unused]] long resident_kib() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

TEST(PacketPath, MutatedPacketsDoNoHarm) {
    Asking s;
    const auto all = packets();
    const char* const wish = std::getenv("STEERD_MUTATIONS");
    const std::size_t count = wish != nullptr ? std::strtoul(wish, nullptr, 10) : 100000;
    base::Rng rng(20240229);
    [[maybe_unused]] const long before = resident_kib();
    std::size_t answered = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const Packet packet = mutated(all[rng.below(all.size())], rng);
        const bool tcp = rng.below(4) == 0;
        const std::size_t allocated = allocations.load();
        const Outcome outcome = s.send(
            packet, {.transport = tcp ? Transport::Tcp : Transport::Udp, .draw = rng.next()});
        ASSERT_EQ(allocations.load(), allocated);
        if (outcome.size == 0) {
            EXPECT_TRUE(packet.size() < dns::kHeaderSize || (packet[2] & 0x80) != 0);
            continue;
        }
        ++answered;
        ASSERT_GE(outcome.size, dns::kHeaderSize);
        ASSERT_LE(outcome.size, tcp ? kMaxTcpAnswer : kMaxUdpAnswer);
        ASSERT_EQ(s.out[0], packet[0]);
        ASSERT_EQ(s.out[1], packet[1]);
        if (i % 16 == 0) {
            const auto parsed = dns::parse_message(std::span(s.out).first(outcome.size));
            ASSERT_TRUE(parsed.ok()) << parsed.error();
        }
    }
    EXPECT_GT(answered, count / 2);
#ifndef __SANITIZE_ADDRESS__  // which keeps what this test itself has freed
    EXPECT_LT(resident_kib() - before, 32 * 1024) << "memory stays flat";
#endif
}

TEST(PacketPath, EveryShortPrefixOfAPacketIsHandled) {
    Asking s;
    for (const Packet& packet : packets()) {
        for (std::size_t size = 0; size < packet.size(); ++size) {
            const Outcome outcome = s.send(std::span(packet).first(size));
            EXPECT_EQ(outcome.size == 0, size < dns::kHeaderSize);
        }
    }
}

}  // namespace
}  // namespace steerd::policy::testing
