// Wakes HTTP connections that were put to sleep: those whose reply has come and those that waited
// too long. A thread of its own, so that the server's loop never waits for a reader. Also ends
// connections that take too long to say what they want.
// Thread rule: everything from any thread, stop() from the owner.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "base/clock.h"

struct MHD_Connection;

namespace steerd::admin {

class Pump {
  public:
    explicit Pump(const base::Clock& clock);
    Pump(const Pump&) = delete;
    Pump& operator=(const Pump&) = delete;

    ~Pump() { stop(); }

    /// Puts a connection to sleep until wake(). False, and awake, where the pump has stopped.
    [[nodiscard]] bool sleep(MHD_Connection* connection);
    /// Wakes it, soon.
    void wake(MHD_Connection* connection);
    /// Calls `over` on the pump's thread unless forget() comes within `limit`.
    std::uint64_t limit_wait(base::Duration limit, std::function<void()> over);
    void forget(std::uint64_t wait);
    /// Wakes everyone; nobody may sleep from now on.
    void stop();

  private:
    struct Wait {
        base::Mono until;
        std::function<void()> over;
    };

    void run();
    std::vector<MHD_Connection*> take_due(base::Mono now, std::vector<std::function<void()>>& over);

    const base::Clock& clock_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::set<MHD_Connection*> sleepers_;  // until their reply comes
    std::vector<MHD_Connection*> woken_;
    std::map<std::uint64_t, Wait> waits_;
    std::uint64_t last_wait_ = 0;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace steerd::admin
