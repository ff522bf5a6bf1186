// The exec probe: a program of the operator's says what is so. Exit 0 passes, 1 is slow, 2 fails, 3
// is inconclusive like a program that cannot be started; any other exit and any signal fails. Its
// last line is the reason. Output is read to its end and only the last 4 KiB of it are kept.
// Thread rule: the pool's thread.
#pragma once

#include <memory>
#include <string>

#include "base/ip.h"
#include "health/probe_spec.h"
#include "health/probers/child.h"
#include "health/probers/job.h"

namespace steerd::probers {

class ExecJob final : public Job {
  public:
    ExecJob(uv_loop_t* loop, Children& children, const base::IpAddress& address,
            std::shared_ptr<const health::ProbeSpec> spec, Done done);
    /// Kills the program's whole group if it still runs.
    ~ExecJob() override;

    void begin() override;

  private:
    /// Reads what is there, at most `limit` octets; false at the end of the output.
    bool read_output(std::size_t limit);
    void on_output();
    void on_exit();
    [[nodiscard]] Judgement judge_exit(const Child::Exit& exit) const;

    uv_loop_t* loop_;
    Children& children_;
    base::IpAddress address_;
    std::shared_ptr<const health::ProbeSpec> spec_;
    Done done_;
    std::unique_ptr<Child> child_;
    std::unique_ptr<UvPoll> output_poll_;
    std::unique_ptr<UvPoll> exit_poll_;
    std::string tail_;
};

/// `command` with every "%ADDRESS%" replaced.
[[nodiscard]] std::vector<std::string> command_for(const std::vector<std::string>& command,
                                                   const base::IpAddress& address);

/// The last line that is not blank, printable and bounded; empty when there is none.
[[nodiscard]] std::string last_line(std::string_view output);

}  // namespace steerd::probers
