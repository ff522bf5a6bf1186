// [geo] learn: collects the round trips that the workers see (rtt_feed.h), keeps them by prefix
// (learned_rtts.h) and writes them as latency.csv rows for this node's region into state_dir, so
// that nodes which exchange these files learn a map of their own. The file is read again at start.
//
// Whose round trips count: public unicast addresses, and others where [[geo.networks]] tells of
// them. Of everything else (loopback, private addresses) nobody said that it is a client with a
// place: health checks and proxies come from there.
// What this deliberately does not do: steer. Rows count where `latency` names a file with them.
// Thread rule: the loop's thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ip.h"
#include "base/result.h"
#include "config/model.h"
#include "policy/trie.h"
#include "server/learned_rtts.h"
#include "server/rtt_feed.h"
#include "server/state_writer.h"

namespace steerd::server {

struct LearnOptions {
    std::filesystem::path file;
    std::string region;
    std::vector<base::IpPrefix> networks;  // that count although they are not public

    friend bool operator==(const LearnOptions&, const LearnOptions&) = default;
};

/// nullopt where nothing is to be learned. [server] is that of the start: where it has no region or
/// no state_dir, a reload cannot begin to learn.
[[nodiscard]] std::optional<LearnOptions> learn_options(const config::Model& wanted,
                                                        const config::Model& started_with);

/// The file's text, by prefix.
[[nodiscard]] std::string learned_text(std::vector<LearnedRtts::Row> rows,
                                       const std::string& region, base::Wall now);
/// The rows of a text that was written at that time, or why it is not one of these.
[[nodiscard]] base::Result<std::vector<LearnedRtts::Row>, std::string> parse_learned(
    std::string_view text, const std::string& region, base::Wall written);

class RttLearner {
  public:
    /// Reads the file (one that cannot be used is kept beside and said so) and turns the feeds on.
    /// REQUIRES: the feeds outlive this object.
    RttLearner(const base::Clock& clock, LearnOptions options, std::vector<RttFeed*> feeds);
    RttLearner(const RttLearner&) = delete;
    RttLearner& operator=(const RttLearner&) = delete;
    /// Turns the feeds off and writes the file.
    ~RttLearner();

    /// Empties the feeds; called a few times a second. Hands the file to its writer when it is due:
    /// at the first sample ever, then every five minutes while there are new ones, else every hour,
    /// since ages grow.
    void collect();

    [[nodiscard]] const LearnOptions& options() const noexcept { return options_; }

  private:
    [[nodiscard]] bool counts(const base::IpAddress& client) const noexcept;
    [[nodiscard]] bool restore();
    void take_samples();
    void write();

    const base::Clock& clock_;
    LearnOptions options_;
    std::vector<RttFeed*> feeds_;
    policy::Runs<policy::Key4> counted4_;
    policy::Runs<policy::Key6> counted6_;
    LearnedRtts rtts_;
    std::unique_ptr<StateWriter> writer_;  // absent: the file there may not be replaced
    std::optional<base::Mono> written_;
    std::uint64_t version_ = 0;
    bool changed_ = false;  // since the last write
};

}  // namespace steerd::server
