from python:3.12
	workDir /app
	copy requirements.txt ./
	run --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt
	copy . .
	# the start
	cmd ["python", "app.py"]
