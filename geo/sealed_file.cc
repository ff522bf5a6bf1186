#include "geo/sealed_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <vector>

namespace steerd::geo {

namespace {

constexpr std::uint64_t kMaxSize = 4ULL << 30;
constexpr std::size_t kChunk = 1U << 20;

std::string reason(const char* what) {
    return std::string(what) + ": " + std::generic_category().message(errno);
}

bool write_all(int fd, const char* data, std::size_t size) {
    while (size > 0) {
        const ssize_t n = ::write(fd, data, size);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        data += n;
        size -= static_cast<std::size_t>(n);
    }
    return true;
}

/// Octets copied, or the reason why not.
base::Result<std::uint64_t, std::string> copy(int from, int to) {
    std::vector<char> chunk(kChunk);
    std::uint64_t total = 0;
    for (;;) {
        const ssize_t n = ::read(from, chunk.data(), chunk.size());
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return base::Err{reason("cannot read")};
        }
        if (n == 0) {
            return total;
        }
        total += static_cast<std::uint64_t>(n);
        if (total > kMaxSize) {
            return base::Err{std::string("is larger than 4 GiB")};
        }
        if (!write_all(to, chunk.data(), static_cast<std::size_t>(n))) {
            return base::Err{reason("cannot hold a copy in memory")};
        }
    }
}

/// Closes a descriptor that is not ours to keep.
struct Descriptor {
    int fd;

    explicit Descriptor(int opened) noexcept : fd(opened) {}

    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    ~Descriptor() {
        if (fd >= 0) {
            ::close(fd);
        }
    }
};

}  // namespace

SealedFile::~SealedFile() {
    if (mapping_ != nullptr) {
        ::munmap(mapping_, size_);
    }
    if (fd_ >= 0) {
        ::close(fd_);
    }
}

base::Result<SealedFile, std::string> SealedFile::read(const std::filesystem::path& path) {
    // O_NONBLOCK: opening a FIFO that nobody writes to must not hang.
    const Descriptor source(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));

    struct stat status {};

    if (source.fd < 0 || ::fstat(source.fd, &status) != 0) {
        return base::Err{reason("cannot open")};
    }
    if (!S_ISREG(status.st_mode)) {
        return base::Err{std::string("is not a regular file")};
    }
    SealedFile sealed;
    sealed.fd_ = ::memfd_create("steerd-geo", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (sealed.fd_ < 0) {
        return base::Err{reason("cannot hold a copy in memory")};
    }
    const auto size = copy(source.fd, sealed.fd_);
    if (!size) {
        return base::Err{size.error()};
    }
    if (*size == 0) {
        return base::Err{std::string("is empty")};
    }
    constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
    if (::fcntl(sealed.fd_, F_ADD_SEALS, kSeals) != 0) {
        return base::Err{reason("cannot seal the copy in memory")};
    }
    void* mapping = ::mmap(nullptr, *size, PROT_READ, MAP_SHARED, sealed.fd_, 0);
    if (mapping == MAP_FAILED) {
        return base::Err{reason("cannot map the copy in memory")};
    }
    sealed.mapping_ = mapping;
    sealed.size_ = *size;
    return sealed;
}

std::string SealedFile::path() const { return "/proc/self/fd/" + std::to_string(fd_); }

}  // namespace steerd::geo
