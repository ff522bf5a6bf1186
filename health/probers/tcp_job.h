// The tcp probe: a connection that comes about is a pass. Nothing is sent on it or read from it.
// Thread rule: the pool's thread.
#pragma once

#include "base/ip.h"
#include "health/probers/job.h"
#include "health/probers/socket.h"
#include "health/probers/uv_handles.h"

namespace steerd::probers {

class TcpJob final : public Job {
  public:
    TcpJob(uv_loop_t* loop, const base::SocketAddress& target, Done done);

    void begin() override;

  private:
    void on_ready();

    uv_loop_t* loop_;
    base::SocketAddress target_;
    Done done_;
    Fd fd_;  // before the poll, so that it is closed after it
    UvPoll poll_;
};

}  // namespace steerd::probers
