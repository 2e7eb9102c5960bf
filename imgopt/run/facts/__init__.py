"""What running an image shows: start, memory, ports, written folders, user, rights, stop, routes.

`measure.py` measures one image, `side_by_side.py` several; `runner.py` starts an image under other
conditions (limits, variables, rights) and puts it under load, and is what others ask as well.

    runner = Runner(session, "shop:1.4", settings)
    tried = runner.tried(Conditions(memory=256 << 20, processors=1.0), Asked(seconds=20))
    print(tried.survived, tried.start_seconds, tried.peak, tried.load)
"""
