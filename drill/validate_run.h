// One run of a validation: resolvers started, asked, the endpoint killed, everything written down,
// resolvers ended. Not an interface: only validate.cc and its tests include it.
// Thread rule: one thread; a relay of its own.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ip.h"
#include "dns/name.h"
#include "drill/resolvers.h"
#include "drill/resolvers_process.h"
#include "drill/validate_log.h"
#include "drill/validate_poller.h"
#include "drill/validate_relay.h"
#include "drill/validate_stats.h"

namespace steerd::drill {

/// What the resolvers stand in front of, whoever runs it.
struct ValidateScene {
    base::SocketAddress server;
    base::IpPrefix client;  // who asks, as far as the server knows
    double old_share = 1;   // of the answers to that client, before the kill
    dns::RrType type = dns::RrType::A;
    std::string zone;
    std::vector<dns::Name> names;  // as in PollOptions; one more at the end, for trying
    std::uint32_t clocked = 0;
    double rate = 1;
    double ttl_s = 0;
    std::uint64_t seed = 1;
    std::filesystem::path folder;  // for folders of the resolvers
    IsDead dead;                   // called on other threads, too
    std::function<void()> kill;
    std::function<void()> tick;       // every few milliseconds; may be empty
    std::function<bool()> cancelled;  // true: give up; may be empty
    std::function<void(double)> progress;
};

struct ResolverRun {
    const ResolverKind* kind = nullptr;
    ResolverLog log;
    RunFacts facts;
    std::string failure;  // why it did not run; empty: it did
};

struct RunOutcome {
    std::vector<ResolverRun> resolvers;
    double switch_after_s = 0;  // since the kill
    std::string failure;        // of the run; empty: it came to its end
};

/// An installed resolver.
struct InstalledResolver {
    const ResolverKind* kind = nullptr;
    std::filesystem::path program;
    std::string version;
};

[[nodiscard]] RunOutcome run_resolvers(const ValidateScene& scene,
                                       const std::vector<InstalledResolver>& installed,
                                       unsigned attempt);

/// What one server or resolver says of a name now; nullopt where it has no answer in time.
[[nodiscard]] std::optional<Told> ask_once(const base::SocketAddress& server, const dns::Name& name,
                                           const ValidateScene& scene, bool as_client,
                                           base::Duration timeout);

}  // namespace steerd::drill
