#include "health/probers/tcp_job.h"

#include <cerrno>

namespace steerd::probers {

TcpJob::TcpJob(uv_loop_t* loop, const base::SocketAddress& target, Done done)
    : loop_(loop), target_(target), done_(std::move(done)), poll_([this](int) { on_ready(); }) {}

void TcpJob::begin() {
    fd_ = open_socket(target_.address.family(), Transport::Tcp);
    if (!fd_.valid()) {
        done_(judge_error(errno, Reported::AtOnce));
        return;
    }
    const int error = connect_socket(fd_.get(), target_);
    if (error != 0 && error != EINPROGRESS) {
        done_(judge_error(error, Reported::AtOnce));
        return;
    }
    if (const int failed = poll_.open(loop_, fd_.get()); failed != 0) {
        done_({health::Outcome::Inconclusive, uv_strerror(failed)});
        return;
    }
    poll_.watch(UV_WRITABLE);
}

void TcpJob::on_ready() {
    poll_.stop();
    const int error = pending_error(fd_.get());
    done_(error == 0 ? Judgement{health::Outcome::Pass, "connected"}
                     : judge_error(error, Reported::Later));
}

}  // namespace steerd::probers
