// Asks real resolvers as their clients would: many names each at random moments (Poisson), from a
// start drawn so that each cache is in its stationary state after one life and not in step with
// the others; and some names whose lives are watched: asked once at a random moment, and then
// densely around the end of that life as the model has it, from before to well after it.
// Bounded: one socket for each resolver, at most 65,536 questions under way.
// Thread rule: one owner.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <vector>

#include "base/clock.h"
#include "base/rng.h"
#include "dns/name.h"
#include "dns/types.h"
#include "drill/cache.h"
#include "drill/live_fd.h"
#include "drill/validate_log.h"
#include "drill/validate_relay.h"

namespace steerd::drill {

struct PollOptions {
    std::vector<dns::Name>
        names;                  // first those asked at random, then those whose lives are watched
    std::uint32_t clocked = 0;  // how many of the latter
    double rate = 1;            // questions per second for each of the former
    double ttl_s = 0;
    dns::RrType type = dns::RrType::A;
    IsDead dead;
    std::uint64_t seed = 1;
    base::Mono zero{};   // times are counted from here
    double start_s = 0;  // nothing is asked before
};

struct PolledResolver {
    std::uint16_t port = 0;  // on 127.0.0.1
    CacheModel model;
};

class ValidatePoller {
  public:
    ValidatePoller(PollOptions options, const std::vector<PolledResolver>& resolvers);

    /// Asks what is due, takes what has come, and waits for either, at most `most_ms`.
    void step(int most_ms);

    /// Whether each name asked at random has been answered anew since this moment.
    [[nodiscard]] bool all_new_since(double since_s) const;

    /// What was asked and never answered counts as failed.
    [[nodiscard]] ResolverLog take_log(std::size_t resolver);

  private:
    struct Due {
        double at_s = 0;
        std::uint32_t resolver = 0;
        std::uint32_t name = 0;

        friend bool operator>(const Due& a, const Due& b) noexcept { return a.at_s > b.at_s; }
    };

    struct Asked {
        std::uint32_t name = 0;
        double sent_s = -1;  // negative: none
    };

    struct Lane {
        LiveFd fd;
        CacheModel model;
        std::vector<Asked> asked;  // by id
        std::uint16_t next_id = 0;
        std::vector<double> dense_until;  // by watched name; 0: its life has not begun
        std::vector<double> newest_s;     // by name asked at random: its last new answer; or -1
        ResolverLog log;
    };

    void ask(const Due& due, double now_s);
    void hear(Lane& lane);
    [[nodiscard]] double gap_s();
    [[nodiscard]] double now_s() const noexcept;
    [[nodiscard]] bool random(std::uint32_t name) const noexcept;

    PollOptions options_;
    base::RealClock clock_;
    base::Rng rng_;
    std::vector<Lane> lanes_;
    std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
};

}  // namespace steerd::drill
