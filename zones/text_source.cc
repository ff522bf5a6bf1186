// Blocks of a file. Thread rule: see text_source.h.
#include "zones/text_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace steerd::zones {

namespace {

constexpr std::size_t kBlock = 65536;

std::string error_text(int error) { return std::generic_category().message(error); }

}  // namespace

base::Result<TextSource, std::string> TextSource::open(const std::string& path) {
    auto block = std::make_unique_for_overwrite<char[]>(kBlock);  // may throw: nothing is open yet
    // O_NONBLOCK: opening a pipe nobody writes to must not wait.
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        return base::Err{error_text(errno)};
    }
    TextSource source(fd, std::move(block));

    struct stat status {};

    if (::fstat(fd, &status) != 0) {
        return base::Err{error_text(errno)};
    }
    if (!S_ISREG(status.st_mode)) {
        return base::Err{std::string("not a regular file")};
    }
    if (static_cast<std::uint64_t>(status.st_size) > kMaxTextOctets) {
        return base::Err{std::string("over 4 GiB")};
    }
    return base::Result<TextSource, std::string>(std::move(source));
}

TextSource::TextSource(int fd, std::unique_ptr<char[]> block) noexcept
    : fd_(fd), block_(std::move(block)) {}

TextSource::TextSource(TextSource&& other) noexcept
    : at_(std::exchange(other.at_, nullptr)),
      end_(std::exchange(other.end_, nullptr)),
      octets_(other.octets_),
      fd_(std::exchange(other.fd_, -1)),
      block_(std::move(other.block_)),
      failure_(std::move(other.failure_)) {}

TextSource::~TextSource() {
    if (fd_ >= 0) {
        ::close(fd_);
    }
}

void TextSource::refill() {
    ssize_t count = 0;
    do {
        count = ::read(fd_, block_.get(), kBlock);
    } while (count < 0 && errno == EINTR);
    if (count <= 0) {
        failure_ = count < 0 ? error_text(errno) : "";
        ::close(fd_);
        fd_ = -1;
        count = 0;
    }
    at_ = block_.get();
    end_ = at_ + count;
    octets_ += static_cast<std::uint64_t>(count);
}

}  // namespace steerd::zones
