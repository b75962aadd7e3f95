#include "daemon/hash_key.h"

#include <stdexcept>
#include <sys/random.h>

namespace ectoscope {

HashKey draw_key() {
  HashKey key;
  // Up to 256 bytes come at once and whole, once the kernel's pool is ready.
  if (getrandom(&key, sizeof key, 0) != sizeof key) throw std::runtime_error("no random numbers");
  return key;
}

}  // namespace ectoscope
