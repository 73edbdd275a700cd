"""``python -m esetrag`` is ``esetrag``."""

from esetrag.cli import main

if __name__ == "__main__":
    main()
