// One running check as its pool sees it. The five kinds of probes are the implementations.
// A job judges once; the pool alone knows deadline, slowness and time, and destroys the job.
// Thread rule: the pool's thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "health/health.h"

namespace steerd::probers {

/// What a job found out; the pool makes the Verdict of it.
struct Judgement {
    health::Outcome outcome = health::Outcome::Inconclusive;
    std::string reason;
};

class Job {
  public:
    /// May be called more than once; the first judgement counts. The job lives on until the pool
    /// destroys it, never inside this call.
    using Done = std::function<void(Judgement)>;

    Job() = default;
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;
    /// Drops what is under way; nothing is called afterwards.
    virtual ~Job() = default;

    /// Starts the check; it may be judged before this returns.
    virtual void begin() = 0;

    /// When the certificate that was shown ends; nullopt when none was.
    [[nodiscard]] virtual std::optional<base::Wall> certificate_expires() const {
        return std::nullopt;
    }
};

/// What others sent us, fit for a log line: at most `limit` octets of printable ASCII.
[[nodiscard]] std::string printable(std::string_view text, std::size_t limit = 200);

}  // namespace steerd::probers
