#include "server/state_writer.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "server/fd.h"

namespace steerd::server {

namespace {

std::string failure(std::string_view what, const std::filesystem::path& file) {
    return "cannot " + std::string(what) + " " + file.string() + ": " + std::strerror(errno);
}

}  // namespace

namespace {

std::optional<std::string> replace(const std::filesystem::path& file,
                                   const std::filesystem::path& temporary, std::string_view text) {
    Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!fd) {
        return failure("create", temporary);
    }
    while (!text.empty()) {
        const auto n = ::write(fd.get(), text.data(), text.size());
        if (n < 0 && errno != EINTR) {
            return failure("write", temporary);
        }
        text.remove_prefix(n > 0 ? static_cast<std::size_t>(n) : 0);
    }
    if (::fsync(fd.get()) != 0) {
        return failure("sync", temporary);
    }
    fd.reset();
    if (::rename(temporary.c_str(), file.c_str()) != 0) {
        return failure("rename to", file);
    }
    const Fd folder(::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder || ::fsync(folder.get()) != 0) {
        return failure("sync the folder of", file);
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::string> write_atomically(const std::filesystem::path& file,
                                            std::string_view text) {
    auto temporary = file;
    temporary += ".new";
    auto why = replace(file, temporary, text);
    if (why) {
        ::unlink(temporary.c_str());  // on a full disk it would take what little is left
    }
    return why;
}

StateWriter::StateWriter(std::filesystem::path file, Done done)
    : file_(std::move(file)), done_(std::move(done)), thread_([this] { run(); }) {}

StateWriter::~StateWriter() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void StateWriter::write(std::uint64_t version, std::function<std::string()> text) {
    {
        const std::lock_guard lock(mutex_);
        waiting_ = Waiting{version, std::move(text)};
    }
    wake_.notify_one();
}

void StateWriter::run() {
    pthread_setname_np(pthread_self(), "steerd-state");
    std::unique_lock lock(mutex_);
    while (true) {
        wake_.wait(lock, [this] { return stopping_ || waiting_; });
        if (!waiting_) {
            return;
        }
        const auto [version, make] = std::move(*waiting_);
        waiting_.reset();
        lock.unlock();
        done_(version, write_atomically(file_, make()));
        lock.lock();
    }
}

}  // namespace steerd::server
