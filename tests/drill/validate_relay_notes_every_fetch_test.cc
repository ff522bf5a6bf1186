// What stands between a resolver and the server: asks on behalf of a client, hands back what the
// resolver can read, and writes down when, what and for how long. And the resolvers' own files.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <filesystem>
#include <string>

#include "dns/message.h"
#include "dns/wire.h"
#include "drill/cache_state.h"
#include "drill/resolvers.h"
#include "drill/resolvers_process.h"
#include "drill/validate_relay.h"
#include "drill/validate_sockets.h"

namespace steerd::drill {
namespace {

using Octets = std::vector<std::uint8_t>;

const base::IpAddress kDead = *base::IpAddress::parse("192.0.2.10");
const base::IpAddress kLoopback = *base::IpAddress::parse("127.0.0.1");

/// The next datagram; empty where none comes in time.
Octets receive(const LiveFd& fd, sockaddr_in* from) {
    pollfd ready{fd.get(), POLLIN, 0};
    if (::poll(&ready, 1, 5000) <= 0) {
        return {};
    }
    Octets out(4096);
    socklen_t size = sizeof *from;
    const auto got =
        ::recvfrom(fd.get(), out.data(), out.size(), 0, reinterpret_cast<sockaddr*>(from), &size);
    out.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return out;
}

/// An answer with one address, its TTL 7 s, and an OPT with a client subnet (RFC 7871).
Octets answer_to(const Octets& query, const base::IpAddress& address) {
    Octets out(query.begin(), query.begin() + 12);
    out[2] = 0x84;
    out[3] = 0;
    dns::store_u16(&out[6], 1);
    dns::store_u16(&out[10], 1);
    dns::WireReader in(query, 12);
    in.skip_name();
    out.insert(out.end(), query.begin() + 12,
               query.begin() + static_cast<std::ptrdiff_t>(in.at() + 4));
    const Octets fixed{0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 7, 0, 4};
    out.insert(out.end(), fixed.begin(), fixed.end());
    out.insert(out.end(), address.octets().begin(), address.octets().end());
    const Octets opt{0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 11, 0, 8, 0, 7, 0, 1, 24, 24, 203, 0, 113};
    out.insert(out.end(), opt.begin(), opt.end());
    return out;
}

struct Scene {
    LiveFd server = loopback_socket();
    ValidateRelay relay;
    LiveFd resolver;

    Scene() : relay(options(server), 1) {
        EXPECT_EQ(relay.start(), std::nullopt);
        resolver = connected_socket({kLoopback, relay.port(0)});
    }

    static RelayOptions options(const LiveFd& server) {
        RelayOptions options;
        options.server = {kLoopback, port_of(server)};
        options.client = *base::IpPrefix::parse("203.0.113.0/24");
        options.number = [](const dns::Name& name) {
            return name == *dns::Name::parse("a.example.com.") ? std::optional(5U) : std::nullopt;
        };
        options.dead = [](const base::IpAddress& address) { return address == kDead; };
        options.zero = base::RealClock().now().mono;
        return options;
    }

    /// Asks through the relay, answers as the server; what the resolver gets.
    Octets through(const char* name, bool edns, const base::IpAddress& address) {
        dns::QueryOptions query;
        query.id = 4711;
        if (edns) {
            query.edns.emplace();
        }
        const Octets asked = dns::compose_query(*dns::Name::parse(name), dns::RrType::A, query);
        EXPECT_GT(::send(resolver.get(), asked.data(), asked.size(), 0), 0);
        sockaddr_in from{};
        const Octets passed = receive(server, &from);
        const auto seen = dns::parse_message(passed);
        EXPECT_TRUE(seen.ok());
        EXPECT_EQ(seen->edns->subnet, *base::IpPrefix::parse("203.0.113.0/24"));
        const Octets answer = answer_to(passed, address);
        ::sendto(server.get(), answer.data(), answer.size(), 0,
                 reinterpret_cast<const sockaddr*>(&from), sizeof from);
        return receive(resolver, &from);
    }
};

TEST(ValidateRelay, HandsBackWhatTheResolverAskedWith) {
    Scene scene;
    const auto plain = dns::parse_message(scene.through("A.example.com.", false, kDead));
    ASSERT_TRUE(plain.ok());
    EXPECT_EQ(plain->id, 4711);
    EXPECT_FALSE(plain->edns);
    EXPECT_EQ(plain->section(dns::Section::Answer).size(), 1);
    const auto extended = dns::parse_message(scene.through("a.example.com.", true, kDead));
    ASSERT_TRUE(extended.ok());
    ASSERT_TRUE(extended->edns);
    EXPECT_FALSE(extended->edns->subnet);
}

TEST(ValidateRelay, WritesDownFetchesOfItsNamesAlone) {
    Scene scene;
    EXPECT_FALSE(scene.through("a.example.com.", true, kDead).empty());
    EXPECT_FALSE(scene.through("a.example.com.", true, kLoopback).empty());
    EXPECT_FALSE(scene.through("b.example.com.", true, kDead).empty());
    scene.relay.stop();
    const auto fetches = scene.relay.take_fetches(0);
    ASSERT_EQ(fetches.size(), 2);
    EXPECT_EQ(fetches[0].name, 5);
    EXPECT_TRUE(fetches[0].old);
    EXPECT_FALSE(fetches[1].old);
    EXPECT_EQ(fetches[0].ttl_s, 7);
    EXPECT_GE(fetches[0].answered_s, fetches[0].asked_s);
    EXPECT_GE(fetches[0].answered_s, fetches[0].second_s);
    EXPECT_LT(fetches[0].answered_s, fetches[0].second_s + 1);
}

TEST(ValidateRelay, RubbishPassesNeitherWay) {
    Scene scene;
    const Octets rubbish(40, 0xFF);
    EXPECT_GT(::send(scene.resolver.get(), rubbish.data(), rubbish.size(), 0), 0);
    EXPECT_GT(::send(scene.resolver.get(), rubbish.data(), 3, 0), 0);
    EXPECT_FALSE(scene.through("a.example.com.", true, kDead).empty());
    scene.relay.stop();
    EXPECT_EQ(scene.relay.take_fetches(0).size(), 1);
}

TEST(Resolvers, AreTheFiveAndAskOnlyTheOneServer) {
    ASSERT_EQ(resolver_kinds().size(), 5);
    const ResolverPlace place{"/nowhere", "drill.test.", 5310, 5400};
    for (const ResolverKind& kind : resolver_kinds()) {
        const ResolverFiles made = kind.files(place);
        std::string all;
        for (const auto& [name, text] : made.files) {
            all += text;
        }
        for (const std::string& argument : made.arguments) {
            all += argument + " ";
        }
        EXPECT_NE(all.find("5310"), std::string::npos) << kind.name;
        EXPECT_NE(all.find("5400"), std::string::npos) << kind.name;
        EXPECT_NE(all.find("127.0.0.1"), std::string::npos) << kind.name;
        const Lifetime life = lifetime_of(kind.model(), 2, false);
        EXPECT_EQ(life.base_s, kind.name == "Knot Resolver" ? 6 : kind.name == "Unbound" ? 3 : 2);
    }
    EXPECT_EQ(lifetime_of(resolver_kinds()[1].model(), 30, false).base_s, 28);
}

TEST(Resolvers, VersionsAreFoundInWhatTheySay) {
    const auto kinds = resolver_kinds();
    EXPECT_EQ(version_in(kinds[0], "Version 1.17.1\n\nConfigure line: x"), "1.17.1");
    EXPECT_EQ(version_in(kinds[1], "BIND 9.18.49-1~deb12u3-Debian (Extended"),
              "9.18.49-1~deb12u3-Debian");
    EXPECT_EQ(version_in(kinds[3], "Nov 20 PowerDNS Recursor 4.8.8 (C) 2001"), "4.8.8");
    EXPECT_EQ(version_in(kinds[4], "nothing of the kind"), "");
}

TEST(ResolverProcess, IsFoundRunHeardAndEnded) {
    const auto shell = find_program("sh");
    ASSERT_TRUE(shell);
    EXPECT_FALSE(find_program("no-such-resolver"));
    EXPECT_EQ(output_of(*shell, {"-c", "echo one; echo two >&2"}, 10), "one\ntwo\n");
    ResolverProcess waiting(*shell, {"-c", "exec sleep 100"}, "/");
    EXPECT_EQ(waiting.start(), std::nullopt);
    EXPECT_TRUE(waiting.running());
    waiting.kill();
    EXPECT_FALSE(waiting.running());
}

}  // namespace
}  // namespace steerd::drill
