// Runs checks and resolves names on threads of its own, each with an event loop: thousands of
// connections in flight, none of which blocks another. What is handed in comes back through a sink,
// each check with exactly one verdict. Judges single checks only: hysteresis, schedule and what
// follows are the control's.
// Two threads by default: an https check costs nearly a millisecond (a third of it OpenSSL making
// its context), so that a thousand in a second would fill one.
// Thread rule: start() and resolve() from any thread; the sinks are called on the pool's threads,
// one call at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ip.h"
#include "health/prober.h"

namespace steerd::probers {

/// Asks for the addresses of a CNAME target.
struct ResolveRequest {
    std::uint64_t id = 0;
    std::string name;
    std::string server;  // "127.0.0.53:53" or without port; empty: the system's first
};

enum class ResolveOutcome : std::uint8_t {
    Addresses,
    NxDomain,
    NoData,   // the name is there, without any address
    NoAnswer  // no usable answer in time, whoever's fault: says nothing of the name
};

struct ResolveDone {
    std::uint64_t id = 0;
    ResolveOutcome outcome = ResolveOutcome::NoAnswer;
    std::vector<base::IpAddress> addresses;  // sorted, each once
    /// With Addresses: a family of which nothing is known, since only the other was answered.
    std::optional<base::IpFamily> unanswered;
    std::uint32_t ttl_s = 0;  // how long this holds; 0 with NoAnswer
    std::string reason;       // NoAnswer: why
};

struct ProberOptions {
    /// Checks in flight, spread evenly over the threads; more wait in order, their deadline
    /// counting from their start. Each takes up to two descriptors.
    std::size_t max_concurrent = 1000;
    /// A check always runs on the same one of them.
    std::size_t threads = 2;
};

class ProberPool {
  public:
    /// Called with what ended in one turn of the loop. Must not destroy the pool, throw, or wait
    /// for the thread that does.
    using CheckSink = std::function<void(std::vector<health::CheckDone>)>;
    using ResolveSink = std::function<void(std::vector<ResolveDone>)>;

    /// Starts the threads. `clock` must outlive the pool. Throws std::runtime_error when the
    /// machine has no descriptor or thread for it.
    ProberPool(ProberOptions options, const base::Clock& clock, CheckSink check_sink,
               ResolveSink resolve_sink);
    ProberPool(const ProberPool&) = delete;
    ProberPool& operator=(const ProberPool&) = delete;
    /// Drops all that is under way, kills what was started, and joins; within a second.
    ~ProberPool();

    /// REQUIRES: each has a spec; exec specs have a command.
    void start(std::vector<health::StartCheck> checks);
    void resolve(ResolveRequest request);

  private:
    class Lane;
    std::vector<std::unique_ptr<Lane>> lanes_;
};

}  // namespace steerd::probers
